package files

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// The scalars are values of the YAML files that are written as one word. Each
// has a Pattern, or Values, which is what UnmarshalText lets through and what
// the JSON Schema publishes.

// patterned is a scalar with a pattern.
type patterned interface{ Pattern() string }

const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Name is a cluster's, a service's or a family's name.
type Name string

// Pattern is ECS's rule for names, as for apps.
func (*Name) Pattern() string { return "^[A-Za-z0-9_-]{1,255}$" }

// UnmarshalText checks the pattern.
func (n *Name) UnmarshalText(text []byte) error {
	return match(n, string(text), (*string)(n), "name: write 1 to 255 letters, digits, '-' and '_'")
}

// DeployName is the name of a CodeDeploy application or deployment group.
type DeployName string

// Pattern is CodeDeploy's rule, as its quotas page gives it: letters, numbers,
// periods, underscores, and + = , @ -, 1 to 100 of them.
func (*DeployName) Pattern() string { return "^[A-Za-z0-9._+=,@-]{1,100}$" }

// UnmarshalText checks the pattern.
func (n *DeployName) UnmarshalText(text []byte) error {
	return match(n, string(text), (*string)(n), "name in CodeDeploy: write 1 to 100 letters, digits and . _ + = , @ -")
}

// Region is an AWS region.
type Region string

// Pattern lets every partition's regions through.
func (*Region) Pattern() string { return "^[a-z]{2,}(-[a-z]+)+-[0-9]+$" }

// UnmarshalText checks the pattern.
func (r *Region) UnmarshalText(text []byte) error {
	return match(r, string(text), (*string)(r), "AWS region: write one like ca-central-1")
}

// Role is the ARN of an IAM role.
type Role string

// Pattern is that of an IAM role's ARN with its path.
func (*Role) Pattern() string { return `^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$` }

// UnmarshalText checks the pattern.
func (r *Role) UnmarshalText(text []byte) error {
	return match(r, string(text), (*string)(r), "ARN of a role: write one like arn:aws:iam::111122223333:role/slipway")
}

// Endpoint is the base URL of an AWS API.
type Endpoint string

// Pattern keeps user names and passwords out: the files carry no secrets.
func (*Endpoint) Pattern() string { return `^https?://[^/?#@\s]+(/[^?#\s]*)?$` }

// UnmarshalText checks the pattern, and that it is a URL.
func (e *Endpoint) UnmarshalText(text []byte) error {
	const what = "endpoint: write a URL like https://ecs.example.com, without user and password"
	if _, err := url.Parse(string(text)); err != nil {
		return fmt.Errorf("%q is no %s", text, what)
	}
	return match(e, string(text), (*string)(e), what)
}

// Mode is a slipway.Mode.
type Mode string

// Values lists the modes.
func (*Mode) Values() []string {
	return []string{string(slipway.ModeSuperseded), string(slipway.ModeQueued), string(slipway.ModeReplace)}
}

// UnmarshalText checks that it is one of the modes.
func (m *Mode) UnmarshalText(text []byte) error {
	if modes := m.Values(); !slices.Contains(modes, string(text)) {
		return fmt.Errorf("%q is no mode: write one of %s%s", text, strings.Join(modes, ", "), didYouMean(string(text), modes))
	}
	*m = Mode(text)
	return nil
}

// Kind is a slipway.Kind.
type Kind string

// Values lists the kinds.
func (*Kind) Values() []string {
	return []string{string(slipway.KindService), string(slipway.KindCodeDeploy), string(slipway.KindSchedule)}
}

// UnmarshalText checks that it is one of the kinds.
func (k *Kind) UnmarshalText(text []byte) error {
	if kinds := k.Values(); !slices.Contains(kinds, string(text)) {
		return fmt.Errorf("%q is no kind of app: write one of %s%s", text, strings.Join(kinds, ", "), didYouMean(string(text), kinds))
	}
	*k = Kind(text)
	return nil
}

// Conductor is a slipway.Conductor.
type Conductor string

// conductorBuiltin is the word for slipway.ConductorBuiltin.
const conductorBuiltin = "builtin"

// Values lists the conductors.
func (*Conductor) Values() []string {
	return []string{conductorBuiltin, string(slipway.ConductorCodePipeline)}
}

// UnmarshalText checks that it is one of the conductors.
func (c *Conductor) UnmarshalText(text []byte) error {
	if conductors := c.Values(); !slices.Contains(conductors, string(text)) {
		return fmt.Errorf("%q is no conductor: write one of %s%s", text, strings.Join(conductors, ", "), didYouMean(string(text), conductors))
	}
	*c = Conductor(text)
	return nil
}

// NamePattern is a pattern of names of AWS CodePipeline's pipelines.
type NamePattern string

// Pattern is that of a pipeline's name, with placeholders. CodePipeline API
// reference, PipelineDeclaration name.
func (*NamePattern) Pattern() string {
	return `^([A-Za-z0-9.@_-]|\{(repository|branch|cluster|app)\})+$`
}

// UnmarshalText checks the pattern, and that no two apps get the same name from it.
func (n *NamePattern) UnmarshalText(text []byte) error {
	const what = "pattern of pipelines' names: write one like deployment-{cluster}-{app}, with {cluster} and {app} in it"
	for _, needed := range []string{"{cluster}", "{app}"} {
		if !strings.Contains(string(text), needed) {
			return fmt.Errorf("%.300q is no %s", text, what)
		}
	}
	return match(n, string(text), (*string)(n), what)
}

// Switch is true or false.
type Switch bool

// UnmarshalText reads one of the two words.
func (s *Switch) UnmarshalText(text []byte) error {
	if string(text) != "true" && string(text) != "false" {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*s = string(text) == "true"
	return nil
}

// Count is a number from 1 to MaxCount.
type Count int

// MaxCount is the greatest Count.
const MaxCount = 9999

// UnmarshalText reads the number.
func (c *Count) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > MaxCount {
		return fmt.Errorf("%q is no number from 1 to %d", text, MaxCount)
	}
	*c = Count(n)
	return nil
}

// Duration is a time span.
type Duration time.Duration

// Pattern is a part of what time.ParseDuration reads.
func (*Duration) Pattern() string { return `^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$` }

// UnmarshalText checks the pattern, and that the span is not zero.
func (d *Duration) UnmarshalText(text []byte) error {
	const what = "duration: write one like 30m, 1h30m or 90s"
	var span string
	if err := match(d, string(text), &span, what); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(span)
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%q is no %s", text, what)
	}
	*d = Duration(parsed)
	return nil
}

// match puts text into target if it fits the scalar's pattern.
func match(s patterned, text string, target *string, what string) error {
	if !regexp.MustCompile(s.Pattern()).MatchString(text) {
		return fmt.Errorf("%.300q is no %s", text, what)
	}
	*target = text
	return nil
}
