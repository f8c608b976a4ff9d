package tfprovider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
)

// set makes settings; empty texts are null.
func set(repository, codeCommit, branch string) settings {
	return settings{Repository: textOrNull(repository), CodeCommit: textOrNull(codeCommit), Branch: textOrNull(branch)}
}

// with sets a region.
func with(region string, s settings) settings {
	s.Region = textOrNull(region)
	return s
}

func TestPlace(t *testing.T) {
	t.Parallel()
	environment := map[string]string{repositoryVariable: "of-environment", branchVariable: "environment"}
	both := map[string]string{repositoryVariable: "of-environment", codeCommitVariable: "environment-deployment"}
	for _, test := range []struct {
		name          string
		own, provider settings
		environment   map[string]string
		want          place
	}{
		{"the data source's", set("own", "", "mine"), set("providers", "", "main"), environment, place{repository: "own", branch: "mine"}},
		{"over another kind of place", set("own", "", ""), set("", "deployment", ""), nil, place{repository: "own"}},
		{"the other way round", set("", "deployment", ""), set("providers", "", ""), environment, place{codeCommit: "deployment", branch: "environment"}},
		{"the provider's", set("", "", ""), set("providers", "", "main"), environment, place{repository: "providers", branch: "main"}},
		{"with another branch", set("", "", "mine"), set("providers", "", "main"), environment, place{repository: "providers", branch: "mine"}},
		{"the environment's", set("", "", ""), set("", "", ""), environment, place{repository: "of-environment", branch: "environment"}},
		{"CodeCommit as the command line has it", set("", "", ""), set("", "", ""), both, place{codeCommit: "environment-deployment"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.own.place(test.provider, func(name string) string { return test.environment[name] })
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
	for _, test := range []struct {
		name          string
		own, provider settings
		want          place
	}{
		{"the provider's region", set("", "deployment", ""), with("eu-west-1", settings{}), place{codeCommit: "deployment", region: "eu-west-1"}},
		{"the data source's region", with("eu-north-1", set("", "deployment", "")), with("eu-west-1", settings{}), place{codeCommit: "deployment", region: "eu-north-1"}},
		{"git needs none", set("own", "", ""), with("eu-west-1", settings{}), place{repository: "own"}},
		{"a region that git need not know", set("own", "", ""), settings{Region: types.StringUnknown()}, place{repository: "own"}},
	} {
		if got, err := test.own.place(test.provider, func(string) string { return "" }); err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
	_, err := settings{CodeCommit: types.StringValue("deployment")}.place(settings{Region: types.StringUnknown()}, func(string) string { return "" })
	if err == nil || !strings.Contains(err.Error(), "the provider's region is not known before apply") {
		t.Errorf("a region that is not known yet: %v", err)
	}
	_, err = settings{}.place(settings{}, func(string) string { return "" })
	if err == nil || !strings.Contains(slipway.HintOf(err), "set repository or codecommit") {
		t.Errorf("no place at all: %v", err)
	}
	_, err = settings{}.place(settings{Repository: types.StringUnknown()}, func(string) string { return "of-environment" })
	if err == nil || !strings.Contains(err.Error(), "not known before apply") {
		t.Errorf("a place that is not known yet: %v", err)
	}
}
