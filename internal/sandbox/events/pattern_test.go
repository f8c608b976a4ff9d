package events_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const commitEvent = `{
	"version": "0", "id": "e", "detail-type": "CodeCommit Repository State Change", "source": "aws.codecommit", "account": "111122223333",
	"time": "2026-11-01T12:00:00Z", "region": "eu-west-1", "resources": ["arn:aws:codecommit:eu-west-1:111122223333:shop", "other"],
	"detail": {"event": "referenceUpdated", "referenceName": "main", "count": 5, "price": 3.0e2, "empty": "", "null": null, "list": [1, "b"], "none": [], "ip": "10.0.0.7",
		"file": "cluster1/webapp1/revision.json", "files": [{"name": "a", "size": 1}, {"name": "b", "size": 2}], "deep": {"er": true}}}`

func TestPatterns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := sandboxtest.New(t).EventBridge()
		for pattern, want := range map[string]bool{
			`{"source": ["aws.codecommit"]}`:                                         true,
			`{"source": ["aws.ecs", "aws.codecommit"]}`:                              true,
			`{"source": ["aws.ecs"]}`:                                                false,
			`{"source": ["aws.codecommit"], "region": ["us-east-1"]}`:                false,
			`{"resources": ["other"]}`:                                               true,
			`{"resources": ["none"]}`:                                                false,
			`{"detail": {"referenceName": ["main"], "event": ["referenceUpdated"]}}`: true,
			`{"detail": {"referenceName": ["Main"]}}`:                                false,
			`{"detail": {"count": [5]}}`:                                             true,
			`{"detail": {"count": ["5"]}}`:                                           false,
			`{"detail": {"price": [300]}}`:                                           false, // compared as written
			`{"detail": {"price": [3.0e2]}}`:                                         true,
			`{"detail": {"empty": [""]}}`:                                            true,
			`{"detail": {"null": [null]}}`:                                           true,
			`{"detail": {"missing": [null]}}`:                                        false,
			`{"detail": {"list": ["b"]}}`:                                            true,
			`{"detail": {"deep": {"er": [true]}}}`:                                   true,
			`{"detail": {"deep": ["er"]}}`:                                           false,
			`{"detail": {"files": {"name": ["b"]}}}`:                                 true,
			`{"detail": {"files": {"name": ["c"]}}}`:                                 false,
			`{"detail": {"files": {"name": ["a"], "size": [2]}}}`:                    false, // of one element

			`{"detail": {"referenceName": [{"prefix": "ma"}]}}`:                                     true,
			`{"detail": {"referenceName": [{"prefix": "x"}]}}`:                                      false,
			`{"detail": {"referenceName": [{"prefix": {"equals-ignore-case": "MA"}}]}}`:             true,
			`{"detail": {"file": [{"suffix": "/revision.json"}]}}`:                                  true,
			`{"detail": {"file": [{"suffix": {"equals-ignore-case": ".JSON"}}]}}`:                   true,
			`{"detail": {"file": [{"suffix": ".JSON"}]}}`:                                           false,
			`{"detail": {"event": [{"equals-ignore-case": "REFERENCEupdated"}]}}`:                   true,
			`{"detail": {"event": [{"anything-but": "referenceDeleted"}]}}`:                         true,
			`{"detail": {"event": [{"anything-but": ["referenceDeleted", "referenceUpdated"]}]}}`:   false,
			`{"detail": {"event": [{"anything-but": {"prefix": "reference"}}]}}`:                    false,
			`{"detail": {"event": [{"anything-but": {"suffix": ["Created", "Deleted"]}}]}}`:         true,
			`{"detail": {"event": [{"anything-but": {"equals-ignore-case": "REFERENCEUPDATED"}}]}}`: false,
			`{"detail": {"file": [{"anything-but": {"wildcard": "*/webapp1/*"}}]}}`:                 false,
			`{"detail": {"count": [{"anything-but": 5}]}}`:                                          false,
			`{"detail": {"missing": [{"anything-but": "x"}]}}`:                                      false,
			`{"detail": {"missing": [{"exists": false}]}}`:                                          true,
			`{"detail": {"missing": {"deeper": [{"exists": false}]}}}`:                              true,
			`{"detail": {"event": [{"exists": false}]}}`:                                            false,
			`{"detail": {"event": [{"exists": true}]}}`:                                             true,
			`{"detail": {"null": [{"exists": true}]}}`:                                              true,
			`{"detail": {"deep": [{"exists": true}]}}`:                                              false, // no leaf
			`{"detail": {"count": [{"numeric": [">", 4, "<=", 5]}]}}`:                               true,
			`{"detail": {"count": [{"numeric": ["<", 5]}]}}`:                                        false,
			`{"detail": {"price": [{"numeric": ["=", 300]}]}}`:                                      true,
			`{"detail": {"event": [{"numeric": ["=", 300]}]}}`:                                      false,
			`{"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}}`:                                         true,
			`{"detail": {"ip": [{"cidr": "10.0.1.0/24"}]}}`:                                         false,
			`{"detail": {"file": [{"wildcard": "cluster1/*/revision.json"}]}}`:                      true,
			`{"detail": {"file": [{"wildcard": "*1/*1/*"}]}}`:                                       true,
			`{"detail": {"file": [{"wildcard": "cluster1/*/pipeline.yaml"}]}}`:                      false,
			`{"detail": {"file": [{"wildcard": "cluster1/webapp1/revision.jso"}]}}`:                 false,
			`{"$or": [{"source": ["x"]}, {"detail": {"referenceName": ["main"]}}]}`:                 true,
			`{"source": ["aws.codecommit"], "$or": [{"region": ["x"]}, {"region": ["y"]}]}`:         false,
			`{"detail": {"$or": [{"count": [1]}, {"event": ["referenceUpdated"]}]}}`:                true,
		} {
			out, err := client.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{Event: aws.String(commitEvent), EventPattern: &pattern})
			if err != nil || out.Result != want {
				t.Errorf("%s: %+v, %v, want %v", pattern, out, err, want)
			}
		}
		for pattern, want := range map[string]string{
			`{"source": "aws.codecommit"}`: `"source" must be an object or an array`,
			`{"source": []}`:               "Empty arrays are not allowed",
			`{"detail": {}}`:               "Empty objects are not allowed",
			`{}`:                           "Empty objects are not allowed",
			`[]`:                           "Filter is not an object",
			`{`:                            "Invalid JSON",
			`{"a": [{"x": 1}]}`:            "x match pattern",
			`{"a": [{"like": "b"}]}`:       "Unrecognized match type like",
			`{"a": [{"prefix": "a", "suffix": "b"}]}`:              "Only one key allowed",
			`{"a": [{"exists": "yes"}]}`:                           "exists match pattern must be either true or false",
			`{"a": [{"numeric": [">"]}]}`:                          "Invalid member in numeric match",
			`{"a": [{"numeric": ["!", 1]}]}`:                       "Unrecognized numeric range operator: !",
			`{"a": [{"wildcard": "a**"}]}`:                         "Consecutive wildcard characters",
			`{"a": [["b"]]}`:                                       "Match value must be",
			`{"a": ["` + strings.Repeat("x", 5000) + `"]}`:         "at most 4096",
			`{"a": [{"anything-but": [true]}]}`:                    "Inside anything-but list",
			`{"a": ["b"]} {"a": ["b"]}`:                            "Invalid JSON",
			`{"$or": [{"a": ["b"]}, {"a": "b"}]}`:                  `"a" must be an object or an array`,
			`{"a": [{"anything-but": {"prefix": "a", "b": "c"}}]}`: "Only one key allowed",
		} {
			_, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("x"), EventPattern: &pattern})
			if code(err) != "InvalidEventPatternException" || !strings.Contains(err.Error(), "Event pattern is not valid. Reason: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", pattern, err, want)
			}
		}
		if _, err := client.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{Event: aws.String(`{"source": "x"}`), EventPattern: aws.String(`{"source": ["x"]}`)}); code(err) != "ValidationException" {
			t.Error(err)
		}
	})
}
