package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const role = "arn:aws:iam::" + sandboxtest.Account + ":role/function"

// zipped is a zip file of files, by name.
func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o755)
		file, err := w.CreateHeader(header)
		if err == nil {
			_, err = file.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// create makes a function and waits until it is active.
func create(t *testing.T, client *lambda.Client, name string, changes ...func(*lambda.CreateFunctionInput)) *lambda.CreateFunctionOutput {
	t.Helper()
	in := &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(role), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: zipped(t, map[string]string{"bootstrap": "#!/bin/sh\n"})},
	}
	for _, change := range changes {
		change(in)
	}
	out, err := client.CreateFunction(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(client, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return out
}

// code is the error's code.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

func TestFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.Lambda(), t.Context()
		created, err := client.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String("trigger"), Role: aws.String(role), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
			Code:        &types.FunctionCode{ZipFile: zipped(t, map[string]string{"bootstrap": "x"})},
			Environment: &types.Environment{Variables: map[string]string{"A": "b"}}, Tags: map[string]string{"team": "shop"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if created.State != types.StatePending || *created.FunctionArn != sandboxtest.FunctionARN("trigger") || *created.Version != "$LATEST" ||
			*created.MemorySize != 128 || *created.Timeout != 3 || created.Architectures[0] != types.ArchitectureX8664 || created.CodeSize == 0 {
			t.Errorf("created %+v", created)
		}
		if _, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("trigger")}); code(err) != "ResourceConflictException" {
			t.Errorf("a pending function is invoked: %v", err)
		}
		if _, err := client.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("trigger")}); code(err) != "ResourceConflictException" {
			t.Errorf("a pending function is published: %v", err)
		}
		wait(10 * time.Second)
		got, err := client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: created.FunctionArn})
		if err != nil || got.Configuration.State != types.StateActive || got.Configuration.LastUpdateStatus != types.LastUpdateStatusSuccessful ||
			got.Configuration.Environment.Variables["A"] != "b" || got.Tags["team"] != "shop" || *got.Configuration.CodeSha256 != *created.CodeSha256 {
			t.Errorf("%+v, %v", got, err)
		}

		updated, err := client.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("trigger"), Timeout: aws.Int32(60)})
		if err != nil || *updated.Timeout != 60 || *updated.MemorySize != 128 || updated.LastUpdateStatus != types.LastUpdateStatusInProgress {
			t.Errorf("%+v, %v", updated, err)
		}
		newer := zipped(t, map[string]string{"bootstrap": "y"})
		update := &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("trigger"), ZipFile: newer, Publish: true}
		if _, err := client.UpdateFunctionCode(ctx, update); code(err) != "ResourceConflictException" {
			t.Errorf("a function that is being updated is updated: %v", err)
		}
		wait(10 * time.Second)
		published, err := client.UpdateFunctionCode(ctx, update)
		if err != nil || *published.Version != "1" || *published.FunctionArn != sandboxtest.FunctionARN("trigger:1") || *published.CodeSha256 == *created.CodeSha256 {
			t.Errorf("%+v, %v", published, err)
		}
		wait(10 * time.Second)
		again, err := client.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("trigger")})
		if err != nil || *again.Version != "1" {
			t.Errorf("nothing changed, and %+v, %v is published", again, err)
		}

		w.Restart()
		versions, err := client.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String("trigger")})
		if err != nil || len(versions.Versions) != 2 || *versions.Versions[1].Version != "1" || versions.Versions[0].Environment.Variables["A"] != "b" {
			t.Errorf("%+v, %v", versions, err)
		}
		all, err := client.ListFunctions(ctx, &lambda.ListFunctionsInput{})
		if err != nil || len(all.Functions) != 1 || *all.Functions[0].FunctionName != "trigger" {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := client.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("trigger")}); err != nil {
			t.Error(err)
		}
		_, err = client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("trigger")})
		if missing, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok || missing.ErrorMessage() != "Function not found: "+sandboxtest.FunctionARN("trigger") {
			t.Errorf("a deleted function: %v", err)
		}
	})
}

func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := sandboxtest.New(t).Lambda()
		code2 := &types.FunctionCode{ZipFile: zipped(t, nil)}
		for name, c := range map[string]struct {
			change func(*lambda.CreateFunctionInput)
			want   string
		}{
			"S3": {func(in *lambda.CreateFunctionInput) {
				in.Code = &types.FunctionCode{S3Bucket: aws.String("b"), S3Key: aws.String("k")}
			}, "the sandbox has no S3"},
			"no zip": {func(in *lambda.CreateFunctionInput) { in.Code = &types.FunctionCode{ZipFile: []byte("PK")} }, "Could not unzip uploaded file."},
			"outside": {func(in *lambda.CreateFunctionInput) {
				in.Code.ZipFile = zipped(t, map[string]string{"a": ""})
				in.Handler = nil
			}, "Runtime and Handler are mandatory"},
			"image":   {func(in *lambda.CreateFunctionInput) { in.PackageType = types.PackageTypeImage }, "not of container images"},
			"timeout": {func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, "from 1 to 900"},
			"variable": {func(in *lambda.CreateFunctionInput) {
				in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
			}, "reserved keys"},
			"name": {func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("a b") }, "'functionName' failed"},
			"elsewhere": {func(in *lambda.CreateFunctionInput) {
				in.FunctionName = aws.String("arn:aws:lambda:us-east-1:444455556666:function:f")
			}, "'functionName' failed"},
		} {
			in := &lambda.CreateFunctionInput{
				FunctionName: aws.String("f"), Role: aws.String(role), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Code: code2,
			}
			c.change(in)
			if _, err := client.CreateFunction(t.Context(), in); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
		all, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		if err != nil || len(all.Functions) != 0 {
			t.Errorf("%d functions, %v", len(all.Functions), err)
		}
	})
}

// TestInvoke: a function of the test's process answers, fails and is out of time
// as any other.
func TestInvoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.Lambda(), t.Context()
		w.Function(sandboxtest.FunctionARN("f"), func(ctx context.Context, payload []byte) ([]byte, error) {
			switch string(payload) {
			case `"fail"`:
				return nil, errors.New("no such pipeline")
			case `"hang"`:
				<-ctx.Done()
				return nil, ctx.Err()
			case `"much"`:
				return []byte(`"` + strings.Repeat("x", 7<<20) + `"`), nil
			}
			return payload, nil
		})
		got, err := client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("f")})
		if err != nil || *got.Configuration.FunctionArn != sandboxtest.FunctionARN("f") || got.Configuration.State != types.StateActive {
			t.Errorf("%+v, %v", got, err)
		}
		invoke := func(payload string, changes ...func(*lambda.InvokeInput)) *lambda.InvokeOutput {
			t.Helper()
			in := &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(payload)}
			for _, change := range changes {
				change(in)
			}
			out, err := client.Invoke(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if out := invoke(`{"a":1}`); out.StatusCode != http.StatusOK || string(out.Payload) != `{"a":1}` || out.FunctionError != nil || *out.ExecutedVersion != "$LATEST" {
			t.Errorf("%+v %s", out, out.Payload)
		}
		if out := invoke(`1`, func(in *lambda.InvokeInput) { in.InvocationType = types.InvocationTypeDryRun }); out.StatusCode != http.StatusNoContent || len(out.Payload) > 0 {
			t.Errorf("%+v", out)
		}
		if out := invoke(`"fail"`); out.StatusCode != http.StatusOK || aws.ToString(out.FunctionError) != "Unhandled" || string(out.Payload) != `{"errorMessage":"no such pipeline","errorType":"errorString"}` {
			t.Errorf("%+v %s", out, out.Payload)
		}
		if out := invoke(`"much"`); aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), `"Function.ResponseSizeTooLarge"`) {
			t.Errorf("%+v %s", out, out.Payload)
		}
		began := time.Now()
		out := invoke(`"hang"`)
		if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), "Task timed out after 900.00 seconds") || time.Since(began) != 15*time.Minute {
			t.Errorf("after %v: %+v %s", time.Since(began), out, out.Payload)
		}
		for _, c := range []struct {
			in   lambda.InvokeInput
			want string
		}{
			{lambda.InvokeInput{Payload: []byte("{")}, "InvalidRequestContentException"},
			{lambda.InvokeInput{Payload: []byte(`"` + strings.Repeat("x", 6<<20) + `"`)}, "RequestEntityTooLargeException"},
			{lambda.InvokeInput{Payload: []byte(`"` + strings.Repeat("x", 1<<20) + `"`), InvocationType: types.InvocationTypeEvent}, "RequestEntityTooLargeException"},
			{lambda.InvokeInput{Qualifier: aws.String("7")}, "ResourceNotFoundException"},
		} {
			c.in.FunctionName = aws.String("f")
			if _, err := client.Invoke(ctx, &c.in); code(err) != c.want {
				t.Errorf("%.20s: %v, want %s", c.in.Payload, err, c.want)
			}
		}
	})
}

// TestEvents: what fails is tried again after one and after two minutes, and then
// told to whom it may concern.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.Lambda(), t.Context()
		began := time.Now()
		var tried []time.Duration
		var told []string
		w.Function(sandboxtest.FunctionARN("f"), func(_ context.Context, payload []byte) ([]byte, error) {
			tried = append(tried, time.Since(began))
			if string(payload) == `"good"` {
				return []byte(`{"is":"well"}`), nil
			}
			return nil, errors.New("no")
		})
		w.Function(sandboxtest.FunctionARN("told"), func(_ context.Context, payload []byte) ([]byte, error) {
			told = append(told, string(payload))
			return nil, nil
		})
		destination := &types.DestinationConfig{
			OnFailure: &types.OnFailure{Destination: aws.String(sandboxtest.FunctionARN("told"))}, OnSuccess: &types.OnSuccess{Destination: aws.String(sandboxtest.FunctionARN("told"))},
		}
		if _, err := client.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("f"), DestinationConfig: destination}); err != nil {
			t.Fatal(err)
		}
		send := func(payload string) {
			t.Helper()
			out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent, Payload: []byte(payload)})
			if err != nil || out.StatusCode != http.StatusAccepted || len(out.Payload) > 0 {
				t.Fatalf("%+v, %v", out, err)
			}
		}
		send(`"bad"`)
		wait(90 * time.Second)
		w.Restart() // between two attempts
		wait(10 * time.Minute)
		if want := "[0s 1m0s 3m0s]"; fmt.Sprint(tried) != want {
			t.Errorf("tried after %v, want %v", tried, want)
		}
		if len(told) != 1 {
			t.Fatalf("told %v", told)
		}
		var record struct {
			RequestContext struct {
				FunctionArn, Condition string
				ApproximateInvokeCount int
			}
			RequestPayload  string
			ResponseContext struct{ FunctionError string }
			ResponsePayload struct{ ErrorMessage string }
		}
		if err := json.Unmarshal([]byte(told[0]), &record); err != nil {
			t.Fatal(err)
		}
		if r := record; r.RequestContext.FunctionArn != sandboxtest.FunctionARN("f:$LATEST") || r.RequestContext.Condition != "RetriesExhausted" || r.RequestContext.ApproximateInvokeCount != 3 ||
			r.RequestPayload != "bad" || r.ResponseContext.FunctionError != "Unhandled" || r.ResponsePayload.ErrorMessage != "no" {
			t.Errorf("told %s", told[0])
		}

		told = nil
		send(`"good"`)
		wait(time.Second)
		if len(told) != 1 || !strings.Contains(told[0], `"condition":"Success"`) || !strings.Contains(told[0], `"responsePayload":{"is":"well"}`) {
			t.Errorf("told %v", told)
		}

		// Without retries, and without concurrency.
		tried, told = nil, nil
		if _, err := client.UpdateFunctionEventInvokeConfig(ctx, &lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: aws.String("f"), MaximumRetryAttempts: aws.Int32(0)}); err != nil {
			t.Fatal(err)
		}
		send(`"bad"`)
		wait(time.Hour)
		if len(tried) != 1 || len(told) != 1 {
			t.Errorf("tried %d times, told %d", len(tried), len(told))
		}
		if _, err := client.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f")}, func(o *lambda.Options) { o.RetryMaxAttempts = 1 }); code(err) != "TooManyRequestsException" {
			t.Errorf("a function without concurrency: %v", err)
		}
		send(`"bad"`)
		wait(time.Second)
		if len(tried) != 1 || len(told) != 2 {
			t.Errorf("tried %d times, told %d", len(tried), len(told))
		}
	})
}

// TestOneAtATime: an event that there is no room for waits, and is not lost.
func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.Lambda(), t.Context()
		at, most, ran := 0, 0, 0
		w.Function(sandboxtest.FunctionARN("f"), func(context.Context, []byte) ([]byte, error) {
			at++
			most = max(most, at)
			time.Sleep(20 * time.Second) //nolint:forbidigo // work, in virtual time
			at--
			ran++
			return nil, nil
		})
		if _, err := client.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent}); err != nil {
				t.Fatal(err)
			}
		}
		wait(time.Hour)
		if ran != 3 || most != 1 {
			t.Errorf("%d ran, up to %d at once", ran, most)
		}
	})
}

func TestPolicyAndTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.Lambda(), t.Context()
		arn := *create(t, client, "f").FunctionArn
		permission := &lambda.AddPermissionInput{
			FunctionName: aws.String("f"), StatementId: aws.String("AllowEvents"), Action: aws.String("lambda:InvokeFunction"),
			Principal: aws.String("events.amazonaws.com"), SourceArn: aws.String("arn:aws:events:ca-central-1:111122223333:rule/commits"),
		}
		want := `{"Sid":"AllowEvents","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arn +
			`","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:ca-central-1:111122223333:rule/commits"}}}`
		if out, err := client.AddPermission(ctx, permission); err != nil || *out.Statement != want {
			t.Errorf("%+v, %v", out, err)
		}
		if _, err := client.AddPermission(ctx, permission); code(err) != "ResourceConflictException" {
			t.Errorf("a statement is added twice: %v", err)
		}
		policy, err := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String("f")})
		if err != nil || *policy.Policy != `{"Version":"2012-10-17","Id":"default","Statement":[`+want+`]}` {
			t.Errorf("%+v, %v", policy, err)
		}
		for range 2 {
			_, err = client.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("AllowEvents")})
		}
		if code(err) != "ResourceNotFoundException" {
			t.Errorf("a statement is removed twice: %v", err)
		}
		if _, err := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String("f")}); code(err) != "ResourceNotFoundException" {
			t.Errorf("a function without a policy: %v", err)
		}

		if _, err := client.TagResource(ctx, &lambda.TagResourceInput{Resource: &arn, Tags: map[string]string{"a": "b", "c": "d"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.UntagResource(ctx, &lambda.UntagResourceInput{Resource: &arn, TagKeys: []string{"c"}}); err != nil {
			t.Fatal(err)
		}
		tags, err := client.ListTags(ctx, &lambda.ListTagsInput{Resource: &arn})
		if err != nil || fmt.Sprint(tags.Tags) != "map[a:b]" {
			t.Errorf("%+v, %v", tags, err)
		}
	})
}
