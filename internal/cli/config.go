package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// configCmd shows the effective configuration.
type configCmd struct{}

func (*configCmd) Help() string {
	return `Every flag that configures has an environment variable; a flag wins over its variable. AWS is configured as by the SDK everywhere. Passwords and keys are masked.

Examples:

    slipway config
    SLIPWAY_SERVER=http://cd.example.com slipway config --output json`
}

// setting is one value and where it comes from; its JSON form is a promise to
// scripts.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// Run reads and shows; nothing is sent.
func (*configCmd) Run(ctx context.Context, e *env, command *kong.Context) error {
	settings := append(flagSettings(command), awsSettings(ctx)...)
	return e.answer(settings, func(t *table) {
		t.heading("NAME", "VALUE", "SOURCE")
		for _, s := range settings {
			t.row(s.Name, cmp.Or(s.Value, "-"), s.Source)
		}
	})
}

// flagSettings are the flags that have an environment variable: those of every
// command, then those of one command, named "command.flag".
func flagSettings(command *kong.Context) []setting {
	given := make(map[*kong.Flag]bool)
	for _, path := range command.Path {
		if path.Flag != nil {
			given[path.Flag] = true
		}
	}
	var settings []setting
	add := func(prefix string, flags []*kong.Flag) {
		for _, flag := range flags {
			if len(flag.Envs) == 0 {
				continue
			}
			s := setting{Name: prefix + flag.Name, Value: flag.Default, Source: "default"}
			if value, ok := os.LookupEnv(flag.Envs[0]); ok {
				s.Value, s.Source = value, "environment "+flag.Envs[0]
			}
			if given[flag] {
				s.Value, s.Source = fmt.Sprint(flag.Target.Interface()), "flag --"+flag.Name
			}
			s.Value = masked(s.Value)
			if _, is := flag.Target.Interface().(secret); is && secret(s.Value).Validate() != nil {
				s.Value = hidden // no reference: perhaps what one should be to
			}
			settings = append(settings, s)
		}
	}
	add("", command.Model.Flags)
	for _, leaf := range command.Model.Children {
		add(leaf.Name+".", leaf.Flags)
	}
	return settings
}

// awsSettings are what the SDK would use.
func awsSettings(ctx context.Context) []setting {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return []setting{{Name: "aws", Value: err.Error(), Source: "AWS SDK"}}
	}
	settings := []setting{
		{"aws.region", loaded.Region, source("AWS_REGION", "AWS_DEFAULT_REGION")},
		{"aws.endpoint", masked(aws.ToString(loaded.BaseEndpoint)), source("AWS_ENDPOINT_URL")},
		{"aws.profile", cmp.Or(os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE"), "default"), source("AWS_PROFILE", "AWS_DEFAULT_PROFILE")},
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_ECS", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		if value := os.Getenv(name); value != "" {
			settings = append(settings, setting{name, masked(value), "environment"})
		}
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if os.Getenv(name) != "" {
			settings = append(settings, setting{name, hidden, "environment"})
		}
	}
	return settings
}

// source names the first variable that is set.
func source(names ...string) string {
	for _, name := range names {
		if os.Getenv(name) != "" {
			return "environment " + name
		}
	}
	return "AWS SDK"
}

// hidden stands for what may be secret.
const hidden = "***"

// Where passwords are in the address of a database, besides that of a URL's user.
var (
	// passwordParameter is in what follows the question mark.
	passwordParameter = regexp.MustCompile(`(?i)([?&](?:ssl)?password=)[^&]*`)
	// passwordOfUser is in what Go takes for no URL, or for another: PostgreSQL takes
	// characters for themselves that URLs have a meaning for.
	passwordOfUser = regexp.MustCompile(`^((?:[^/:@]*://)?[^/:@]*):.*@`)
)

// masked hides what may be secret in a URL: the password, and over HTTP a user
// without one, which may be a token. Any other text stays as it is.
func masked(text string) string {
	text = passwordParameter.ReplaceAllString(text, "${1}"+hidden)
	u, err := url.Parse(text)
	if err != nil || u.User == nil && strings.HasPrefix(u.Scheme, "postgres") {
		return passwordOfUser.ReplaceAllString(text, "${1}:"+hidden+"@")
	}
	if u.User == nil {
		return text
	}
	user := u.User.Username()
	if _, has := u.User.Password(); has {
		user += ":" + hidden
	} else if strings.HasPrefix(u.Scheme, "http") {
		user = hidden
	}
	u.User = nil
	return strings.Replace(u.String(), "://", "://"+user+"@", 1)
}
