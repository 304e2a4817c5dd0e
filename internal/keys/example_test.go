package keys_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"heartmark/internal/keys"
)

func Example() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	kek := filepath.Join(dir, "kek")
	if err := keys.GenerateKEK(kek); err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	service, err := keys.Open(ctx, keys.Config{
		KEKFile: kek, Store: newMemory(), Now: time.Now,
		Controller: func(tenant string) string { return "did:web:heartmark.example:" + tenant },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := service.Create(ctx, "acme", keys.KindCredential, keys.AlgEdDSA)
	if err != nil {
		fmt.Println(err)
		return
	}
	handle, err := service.SignerFor(ctx, "acme", keys.KindCredential)
	if err != nil {
		fmt.Println(err)
		return
	}
	signature, err := handle.Sign(nil, []byte("message"), crypto.Hash(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ed25519.Verify(info.Public.(ed25519.PublicKey), []byte("message"), signature))

	if err := service.Retire(ctx, info.ID, time.Now()); err != nil {
		fmt.Println(err)
		return
	}
	_, err = handle.Sign(nil, []byte("message"), crypto.Hash(0))
	fmt.Println(err != nil)
	// Output:
	// true
	// true
}
