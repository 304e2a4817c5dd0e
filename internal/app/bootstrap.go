package app

import (
	"context"
	"fmt"

	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/registry"
	"heartmark/schemas"
	jsonldcontext "heartmark/schemas/context"
)

// DemoTenant is the organisation that a development installation starts with.
const DemoTenant = "demo"

// bootstrap gives a new installation what it publishes itself: its keys, context, schema and achievements, and in
// development the tenant DemoTenant. Each step is idempotent; a later version of the program adds what is new.
func (a *App) bootstrap(ctx context.Context) error {
	if _, err := a.Issuer.Recover(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	for _, kind := range []keys.Kind{keys.KindSnapshot, keys.KindStatement, keys.KindLog} {
		if err := a.ensureKey(ctx, "", kind, keys.AlgEdDSA); err != nil {
			return fmt.Errorf("installation: %w", err)
		}
	}
	if err := a.publishVocabulary(ctx); err != nil {
		return err
	}
	tenants, err := a.Store.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range tenants { // of a version with fewer kinds of keys or forms
		if err := a.ensureTenantKeys(ctx, t.ID); err != nil {
			return err
		}
	}
	if a.Config.Mode != config.Development {
		return nil
	}
	return a.CreateTenant(ctx, schemas.Tenant{
		ID: DemoTenant, Name: "Heartmark Demo Academy", Names: map[string]string{"zh": "心印演示学院"}, URL: "https://academy.example",
	})
}

// publishVocabulary publishes context, schema, achievements and the SD-JWT VC type under their versions.
func (a *App) publishVocabulary(ctx context.Context) error {
	loader, err := jsonldcontext.New()
	if err != nil {
		return err
	}
	dei, err := loader.Document(a.Config.Origin + jsonldcontext.DEIPath)
	if err != nil {
		return err
	}
	accreditation, err := loader.Document(a.Config.Origin + jsonldcontext.RegistryPath)
	if err != nil {
		return err
	}
	vcType, err := schemas.VCTypeDocument(a.Config.Origin)
	if err != nil {
		return err
	}
	artefacts := []registry.NewArtefact{
		{Kind: registry.KindContexts, Name: "dei/v1", MediaType: "application/ld+json", Data: dei},
		{Kind: registry.KindContexts, Name: "registry/v1", MediaType: "application/ld+json", Data: accreditation},
		{Kind: registry.KindSchemas, Name: schemas.SchemaDEI, MediaType: "application/schema+json", Data: schemas.DEISchemaV1()},
		{Kind: registry.KindTypes, Name: "dei/v1", MediaType: "application/json", Data: vcType},
	}
	for _, name := range schemas.AchievementNames() {
		data, err := schemas.AchievementDocument(a.Config.Origin, name)
		if err != nil {
			return fmt.Errorf("achievement %s: %w", name, err)
		}
		artefacts = append(artefacts, registry.NewArtefact{
			Kind: registry.KindAchievements, Name: name, MediaType: "application/json", Data: data,
		})
	}
	for _, artefact := range artefacts {
		if _, err := a.Registry.PublishArtefact(ctx, system, artefact); err != nil {
			return fmt.Errorf("publish %s/%s: %w", artefact.Kind, artefact.Name, err)
		}
	}
	return nil
}
