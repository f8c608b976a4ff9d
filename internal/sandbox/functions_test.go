package sandbox_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// TestFunctions: a function that is created over the address is there after a
// restart, and web pages are kept out.
func TestFunctions(t *testing.T) {
	options := sandbox.Options{Dir: t.TempDir(), TimeScale: 100}
	w, err := sandbox.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	client := func() *lambda.Client {
		return lambda.New(lambda.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String(w.Endpoints().AWS), Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		})
	}
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	if _, err := archive.Create("bootstrap"); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client().CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("f"), Role: aws.String("arn:aws:iam::111122223333:role/f"), Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Code: &types.FunctionCode{ZipFile: code.Bytes()},
	}); err != nil {
		t.Fatal(err)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(client(), func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("f")}, time.Minute); err != nil {
		t.Fatal(err)
	}

	page, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Endpoints().AWS+"/2015-03-31/functions/f/invocations", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	page.Header.Set("Origin", "http://shop.example.com")
	answer, err := http.DefaultClient.Do(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a web page is answered %s, %v", answer.Status, err)
	}

	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w, err = sandbox.New(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	out, err := client().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	if err != nil || out.FunctionError == nil || !strings.Contains(string(out.Payload), "Runtime.InvalidEntrypoint") {
		t.Errorf("an empty program: %s, %v", fmt.Sprintf("%+v", out), err)
	}
}
