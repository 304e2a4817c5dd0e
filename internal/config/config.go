package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"heartmark/internal/obs"

	"gopkg.in/yaml.v3"
)

// Modes of running (design decision 12).
const (
	// Development is loopback only and says so on every page.
	Development = "development"
	// Production refuses unsafe settings.
	Production = "production"
)

// Config is the whole configuration of one process.
type Config struct {
	// Mode is development or production.
	Mode string `yaml:"mode"`
	// Origin is the public origin, such as https://dei.example: scheme and host, no path, no final slash. Every published
	// address derives from it, never from a request.
	Origin string `yaml:"origin"`
	// Listen is the address of the public listener, host:port.
	Listen string `yaml:"listen"`
	// OpsListen is the address of the separate operations listener (metrics); empty switches it off.
	OpsListen string `yaml:"ops_listen"`
	// DataDir is the folder of the embedded store and the transparency log.
	DataDir string `yaml:"data_dir"`
	// KEKFile is the file with the key-encryption key: 32 bytes, readable by the owner only, not inside DataDir.
	KEKFile string `yaml:"kek_file"`
	// TrustedProxies are the addresses or prefixes of peers whose forwarding headers are believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// DevOrigins are loopback origins that the outbound client may reach; development only.
	DevOrigins []string `yaml:"dev_origins"`
	// ShutdownGrace bounds how long requests in flight may finish after a stop signal.
	ShutdownGrace time.Duration `yaml:"shutdown_grace"`
	// Log says how the log is written.
	Log obs.Config `yaml:"log"`
	// Model says how the classifier runs.
	Model Model `yaml:"model"`
	// Assessment says how evidence that was sent in is scored.
	Assessment Assessment `yaml:"assessment"`
	// Issuer says what can be issued.
	Issuer Issuer `yaml:"issuer"`
	// Verifier says how credentials are checked.
	Verifier Verifier `yaml:"verifier"`
}

// The ways in which Ed25519 signatures are checked. Both accept and refuse the same.
const (
	// Ed25519Tables checks by tables that are kept for keys that have signed before.
	Ed25519Tables = "tables"
	// Ed25519Standard checks by Go's standard library alone.
	Ed25519Standard = "standard"
)

// Verifier says how credentials are checked.
type Verifier struct {
	// Ed25519 is tables or standard; empty is tables.
	Ed25519 string `yaml:"ed25519"`
}

// Model says how the classifier runs.
type Model struct {
	// Provider is auto, cpu or cuda.
	Provider string `yaml:"provider"`
	// Library is the path of the ONNX Runtime shared library; empty looks beside the program and in .deps.
	Library string `yaml:"library"`
	// GPUModel is the path of the fp16 or fp32 export for CUDA, which a release carries; empty leaves the CPU model only.
	GPUModel string `yaml:"gpu_model"`
	// Heads are folders of `heartmark train`: own labels on the vectors of the classifier, served by POST /v1/classify.
	Heads []string `yaml:"heads"`
	// Workers is the number of batches that run at once on the CPU, each on one thread; 0 is one a core.
	Workers int `yaml:"workers"`
}

// Assessment says how evidence that was sent in is scored.
type Assessment struct {
	// Workers is the number of evidence batches that are scored at once; 0 is one.
	Workers int `yaml:"workers"`
}

// Default returns the development settings that `make run` starts with.
func Default() Config {
	return Config{
		Mode: Development, Origin: "http://localhost:8080", Listen: "127.0.0.1:8080", OpsListen: "127.0.0.1:9090",
		DataDir: filepath.Join(".data", "store"), KEKFile: filepath.Join(".data", "secrets", "kek"),
		ShutdownGrace: 25 * time.Second,
		Log:           obs.Config{Level: "info", Format: "text"},
		Model:         Model{Provider: "auto"},
		Verifier:      Verifier{Ed25519: Ed25519Tables},
	}
}

// Load reads the file at path (none if empty) over Default and lets the environment override single settings. It returns
// every fault it finds, joined.
func Load(path string, environ []string) (Config, error) {
	c := Default()
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("read configuration: %w", err)
		}
		if err := decode(data, &c); err != nil {
			return Config{}, fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	if err := c.applyEnvironment(environ); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

func decode(data []byte, c *Config) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}

// variables lists the environment's names with the setting each one overrides.
func (c *Config) variables() map[string]*string {
	return map[string]*string{
		"HEARTMARK_MODE": &c.Mode, "HEARTMARK_ORIGIN": &c.Origin, "HEARTMARK_LISTEN": &c.Listen,
		"HEARTMARK_OPS_LISTEN": &c.OpsListen, "HEARTMARK_DATA_DIR": &c.DataDir, "HEARTMARK_KEK_FILE": &c.KEKFile,
		"HEARTMARK_LOG_LEVEL": &c.Log.Level, "HEARTMARK_LOG_FORMAT": &c.Log.Format,
		"HEARTMARK_MODEL_PROVIDER": &c.Model.Provider, "HEARTMARK_ONNXRUNTIME": &c.Model.Library,
	}
}

// foreign are names with our prefix that other parts (tests, clients) read.
var foreign = []string{
	"HEARTMARK_SHARED", "HEARTMARK_REQUIRE_SHARED", "HEARTMARK_CHROMIUM", "HEARTMARK_REQUIRE_CHROMIUM", "HEARTMARK_REQUIRE_NODE", "HEARTMARK_REQUIRE_ONNXRUNTIME",
	"HEARTMARK_CONFIG", "HEARTMARK_API_KEY", "HEARTMARK_CRASH_POINT",
}

func (c *Config) applyEnvironment(environ []string) error {
	known := c.variables()
	var faults []error
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "HEARTMARK_") || slices.Contains(foreign, name) {
			continue
		}
		target, ok := known[name]
		if !ok {
			faults = append(faults, fmt.Errorf("environment: %s is not a setting", name))
			continue
		}
		*target = value
	}
	return errors.Join(faults...)
}

// Validate reports all faults at once, each naming its setting.
func (c Config) Validate() error {
	faults := []error{c.validateOrigin(), c.Log.Validate()}
	if c.Mode != Development && c.Mode != Production {
		faults = append(faults, fmt.Errorf("mode: %q is neither development nor production", c.Mode))
	}
	for name, address := range map[string]string{"listen": c.Listen, "ops_listen": c.OpsListen} {
		if address == "" && name == "ops_listen" {
			continue
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %q is not host:port", name, address))
		} else if (c.Mode == Development || name == "ops_listen") && !loopback(host) {
			faults = append(faults, fmt.Errorf("%s: %q is not a loopback address, as this mode demands", name, address))
		}
	}
	if c.DataDir == "" {
		faults = append(faults, errors.New("data_dir: empty"))
	}
	if c.KEKFile == "" {
		faults = append(faults, errors.New("kek_file: empty"))
	} else if inside(c.KEKFile, c.DataDir) {
		faults = append(faults, errors.New("kek_file: lies inside data_dir; a backup of the data would carry the key that opens it"))
	}
	if !slices.Contains([]string{"auto", "cpu", "cuda"}, c.Model.Provider) {
		faults = append(faults, fmt.Errorf("model.provider: %q is none of auto, cpu, cuda", c.Model.Provider))
	}
	if c.Model.Workers < 0 || c.Model.Workers > 256 {
		faults = append(faults, fmt.Errorf("model.workers: %d is not between 0 and 256", c.Model.Workers))
	}
	if c.Assessment.Workers < 0 || c.Assessment.Workers > 64 {
		faults = append(faults, fmt.Errorf("assessment.workers: %d is not between 0 and 64", c.Assessment.Workers))
	}
	if _, err := c.Issuer.Build(); err != nil {
		faults = append(faults, err)
	}
	if !slices.Contains([]string{"", Ed25519Tables, Ed25519Standard}, c.Verifier.Ed25519) {
		faults = append(faults, fmt.Errorf("verifier.ed25519: %q is none of %s, %s", c.Verifier.Ed25519, Ed25519Tables, Ed25519Standard))
	}
	if c.Mode == Production && len(c.DevOrigins) > 0 {
		faults = append(faults, errors.New("dev_origins: not allowed in production"))
	}
	if c.ShutdownGrace <= 0 || c.ShutdownGrace > time.Minute {
		faults = append(faults, fmt.Errorf("shutdown_grace: %s is not between 0 and 1m", c.ShutdownGrace))
	}
	return errors.Join(faults...)
}

func (c Config) validateOrigin() error {
	u, err := url.Parse(c.Origin)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("origin: %q is not scheme://host[:port]", c.Origin)
	}
	if u.Scheme == "https" && (c.Mode == Development || !loopback(u.Hostname())) {
		return nil
	}
	if u.Scheme == "http" && c.Mode == Development && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("origin: %q must be https and public in production, or http on loopback in development", c.Origin)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func inside(file, dir string) bool {
	f, err1 := filepath.Abs(file)
	d, err2 := filepath.Abs(dir)
	if err1 != nil || err2 != nil {
		return false
	}
	rel, err := filepath.Rel(d, f)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// Print returns the effective settings as YAML. The configuration names files that hold secrets and no secret itself.
func (c Config) Print() (string, error) {
	out, err := yaml.Marshal(c)
	return string(out), err
}
