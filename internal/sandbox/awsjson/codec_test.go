package awsjson_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	sdkjson "github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

var protocol = sdkjson.New11(schemas.AmazonEC2ContainerServiceV20141113)

// TestInputsAgainstSDK holds the decoder against the SDK's own encoder: inputs
// filled at random must come out as they went in.
func TestInputsAgainstSDK(t *testing.T) {
	for _, in := range []smithy.Serializable{
		&ecs.RegisterTaskDefinitionInput{}, &ecs.CreateServiceInput{}, &ecs.UpdateServiceInput{}, &ecs.RunTaskInput{},
		&ecs.ListServiceDeploymentsInput{}, &ecs.DescribeServicesInput{}, &ecs.DeleteServiceInput{}, &ecs.CreateClusterInput{},
	} {
		t.Run(reflect.TypeOf(in).Elem().Name(), func(t *testing.T) {
			for seed := range uint64(20) {
				fill(rand.New(rand.NewPCG(seed, 0)), reflect.ValueOf(in).Elem(), 0)
				schema := smithy.NewOperationSchema(schemas.UpdateService, schemas.UpdateServiceRequest, schemas.UpdateServiceResponse)
				request := smithyhttp.NewStackRequest().(*smithyhttp.Request)
				if err := protocol.SerializeRequest(t.Context(), schema, in, request); err != nil {
					t.Fatal(err)
				}
				document, err := io.ReadAll(request.GetStream())
				if err != nil {
					t.Fatal(err)
				}
				got := reflect.New(reflect.TypeOf(in).Elem()).Interface()
				if err := awsjson.Unmarshal(document, got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(in, got, exported); diff != "" {
					t.Fatalf("decoded (-sent +got):\n%s", diff)
				}
			}
		})
	}
}

// TestOutputsAgainstSDK holds the encoder against the SDK's own decoder.
func TestOutputsAgainstSDK(t *testing.T) {
	for _, out := range []smithy.Deserializable{
		&ecs.DescribeServicesOutput{}, &ecs.DescribeTasksOutput{}, &ecs.DescribeTaskDefinitionOutput{}, &ecs.UpdateServiceOutput{},
		&ecs.DescribeServiceDeploymentsOutput{}, &ecs.DescribeServiceRevisionsOutput{}, &ecs.DescribeClustersOutput{}, &ecs.ListTasksOutput{},
	} {
		t.Run(reflect.TypeOf(out).Elem().Name(), func(t *testing.T) {
			for seed := range uint64(20) {
				fill(rand.New(rand.NewPCG(seed, 0)), reflect.ValueOf(out).Elem(), 0)
				document, err := awsjson.Marshal(out)
				if err != nil {
					t.Fatal(err)
				}
				got := reflect.New(reflect.TypeOf(out).Elem()).Interface().(smithy.Deserializable)
				schema := smithy.NewOperationSchema(schemas.DescribeServices, schemas.DescribeServicesRequest, schemas.DescribeServicesResponse)
				response := &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(document)))}}
				if err := protocol.DeserializeResponse(t.Context(), schema, nil, response, got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(out, got, exported); diff != "" {
					t.Fatalf("the SDK read (-sent +got):\n%s", diff)
				}
			}
		})
	}
}

// exported compares what goes over the wire.
var exported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && (field.Name() == "ResultMetadata" || field.Name() == "noSmithyDocumentSerde")
}, cmp.Ignore())

// fill sets all members to something that is not empty, since an empty
// enumeration or a zero number may be left out on the wire, some of them to nil.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	const deepest = 6
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_000 + r.Int64N(1_000_000_000)).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if depth < deepest && r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		} else {
			v.SetZero()
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() && field.Name != "ResultMetadata" && !field.Anonymous {
				fill(r, value, depth+1)
			}
		}
	case reflect.Slice:
		v.SetZero()
		if depth < deepest && v.Type().Elem().Kind() != reflect.Interface && r.IntN(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
			for _, item := range v.Seq2() {
				fill(r, item, depth+1)
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth+1)
			fill(r, value, depth+1)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString([]string{"a", "é\n\"<&>", "value", "ROLLING"}[r.IntN(4)])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1 + r.Int64N(1000))
	case reflect.Float64:
		v.SetFloat(float64(1+r.IntN(1000)) / 8)
	case reflect.Interface: // unions and documents
	default:
		panic(v.Type().String())
	}
}

func TestMarshal(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 123_456_789, time.UTC)
	got, err := awsjson.Marshal(&struct {
		DesiredCount   int32
		Enabled        bool
		NilText        *string
		Status         types.ServiceDeploymentStatus
		CreatedAt      *time.Time
		NilList        []string
		EmptyList      []string
		Tags           map[string]string
		Blob           []byte
		TaskDefinition json.RawMessage
		ResultMetadata string
	}{
		CreatedAt: &at, EmptyList: []string{}, Tags: map[string]string{"b": "2", "a": "1"},
		Blob: []byte("hi"), TaskDefinition: json.RawMessage(`{"newer": 1}`), ResultMetadata: "not a member",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"desiredCount":0,"enabled":false,"createdAt":1793534400.123,"emptyList":[],"tags":{"a":"1","b":"2"},"blob":"aGk=","taskDefinition":{"newer": 1}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{`[]`, "the document: want a value an object, got []"},
		{`{"desiredCount": "1"}`, `desiredCount: want a value of kind int32, got "1"`},
		{`{"service": 1}`, "service: want a value of kind string, got 1"},
		{`{"loadBalancers": [{}, {"containerPort": {}}]}`, "loadBalancers[1].containerPort: want a value of kind int32, got {}"},
		{`{"loadBalancers": {}}`, "loadBalancers: want a value a list, got {}"},
		{`{"deploymentConfiguration": {"lifecycleHooks": [{"hookDetails": {}}]}}`, "deploymentConfiguration.lifecycleHooks[0].hookDetails: members of type"},
	} {
		err := awsjson.Unmarshal([]byte(c.document), &ecs.UpdateServiceInput{})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.document, err, c.want)
		}
	}
}

func TestUnmarshalIgnores(t *testing.T) {
	in := ecs.UpdateServiceInput{}
	if err := awsjson.Unmarshal([]byte(`{"service": "s", "newerThanUs": {"a": 1}, "cluster": null, "Service": "not this one"}`), &in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ecs.UpdateServiceInput{Service: aws.String("s")}, in, exported); diff != "" {
		t.Error(diff)
	}
}

func TestMarshalRefusesUnions(t *testing.T) {
	_, err := awsjson.Marshal(&struct{ Member any }{Member: "x"})
	if err == nil {
		t.Error("an interface was encoded")
	}
}
