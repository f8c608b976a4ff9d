package lambda

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// settleTime is how long a new function is Pending, and an update in progress:
// about what AWS takes for a function outside a VPC.
const settleTime = 2 * time.Second

// timeLayout is how Lambda writes when a function was modified.
const timeLayout = "2006-01-02T15:04:05.000-0700"

func (a api) CreateFunction(_ context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	name, _, ok := a.split(aws.ToString(in.FunctionName))
	if !ok {
		return nil, errValidation("Value '%s' at 'functionName' failed to satisfy constraint: Member must have 1 to 64 letters, digits, hyphens and underscores", aws.ToString(in.FunctionName))
	}
	v, err := created(name, in)
	if err != nil {
		return nil, err
	}
	code, err := codeOf(in.Code.ZipFile, in.Code.S3Bucket, in.Code.ImageUri)
	if err != nil {
		return nil, err
	}
	if err := a.keep(code, v); err != nil {
		return nil, err
	}
	return change(a.Service, func() (*lambda.CreateFunctionOutput, error) {
		if a.state.Functions[name] != nil {
			return nil, errConflict("Function already exist: %s", name)
		}
		v.FunctionArn = aws.String(a.arn(name))
		now := time.Now()
		v.touch(now)
		v.Ready, v.Settled = now.Add(a.scaled(settleTime)), now
		f := &function{Latest: v, Tags: maps.Clone(in.Tags), EventRules: map[string]*types.FunctionEventInvokeConfig{}}
		a.state.Functions[name] = f
		if in.Publish {
			v = a.publish(f, "")
		}
		return convert[lambda.CreateFunctionOutput](v.shown(now, in.Publish))
	})
}

// created is a new function's $LATEST, with Lambda's defaults. The error says what
// of the request is wrong.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
func created(name string, in *lambda.CreateFunctionInput) (*version, error) {
	if in.Code == nil {
		return nil, errValidation("Value null at 'code' failed to satisfy constraint: Member must not be null")
	}
	v := &version{FunctionConfiguration: types.FunctionConfiguration{
		FunctionName: &name, Version: aws.String(latest), Architectures: in.Architectures, DeadLetterConfig: in.DeadLetterConfig,
		Description: aws.String(aws.ToString(in.Description)), EphemeralStorage: in.EphemeralStorage, FileSystemConfigs: in.FileSystemConfigs,
		Handler: in.Handler, KMSKeyArn: in.KMSKeyArn, Layers: layers(in.Layers), LoggingConfig: in.LoggingConfig, MemorySize: in.MemorySize,
		PackageType: cmp.Or(in.PackageType, types.PackageTypeZip), Role: in.Role, Runtime: in.Runtime, SnapStart: snapStart(in.SnapStart),
		Timeout: in.Timeout, TracingConfig: tracing(in.TracingConfig), VpcConfig: vpc(in.VpcConfig),
	}}
	if in.Environment != nil {
		v.Environment = in.Environment.Variables
	}
	if len(v.Architectures) == 0 {
		v.Architectures = []types.Architecture{types.ArchitectureX8664}
	}
	v.MemorySize, v.Timeout = orDefault(v.MemorySize, 128), orDefault(v.Timeout, 3)
	if v.EphemeralStorage == nil {
		v.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(512)}
	}
	if v.TracingConfig == nil {
		v.TracingConfig = &types.TracingConfigResponse{Mode: types.TracingModePassThrough}
	}
	if v.SnapStart == nil {
		v.SnapStart = snapStart(&types.SnapStart{ApplyOn: types.SnapStartApplyOnNone})
	}
	v.complete()
	return v, v.check()
}

// complete fills in what follows from the rest.
func (v *version) complete() {
	log := types.LoggingConfig{}
	if v.LoggingConfig != nil {
		log = *v.LoggingConfig
	}
	log.LogFormat = cmp.Or(log.LogFormat, types.LogFormatText)
	log.LogGroup = orDefault(log.LogGroup, "/aws/lambda/"+*v.FunctionName)
	v.LoggingConfig = &log
}

// check says what is wrong with a function.
func (v *version) check() error {
	switch {
	case v.PackageType == types.PackageTypeImage:
		return errParameter("the sandbox runs functions of zip files, not of container images")
	case aws.ToString(v.Role) == "":
		return errValidation("Value null at 'role' failed to satisfy constraint: Member must not be null")
	case v.Runtime == "" || aws.ToString(v.Handler) == "":
		return errParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case *v.Timeout < 1 || *v.Timeout > 900:
		return errValidation("Value '%d' at 'timeout' failed to satisfy constraint: Member must have value from 1 to 900", *v.Timeout)
	case *v.MemorySize < 128 || *v.MemorySize > 10240:
		return errValidation("Value '%d' at 'memorySize' failed to satisfy constraint: Member must have value from 128 to 10240", *v.MemorySize)
	case len(v.Architectures) != 1 || !slices.Contains(types.ArchitectureX8664.Values(), v.Architectures[0]):
		return errValidation("Value '%v' at 'architectures' failed to satisfy constraint: Member must be one of [x86_64, arm64]", v.Architectures)
	}
	return checkVariables(v.Environment)
}

// checkVariables refuses what Lambda reserves for itself.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func checkVariables(variables map[string]string) error {
	size := 0
	for name, value := range variables {
		size += len(name) + len(value)
		if reserved[name] {
			return errParameter("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", name)
		}
	}
	if size > 4096 {
		return errParameter("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.")
	}
	return nil
}

// touch notes that the version was changed.
func (v *version) touch(now time.Time) {
	v.LastModified = aws.String(now.UTC().Format(timeLayout))
	v.RevisionId = aws.String(uuid.NewString())
}

// shown is a version as its configuration is shown. Its ARN has the version's
// number when that was asked for, and always once it has one.
func (v *version) shown(now time.Time, qualified bool) *types.FunctionConfiguration {
	c := v.FunctionConfiguration
	c.State, c.LastUpdateStatus = types.StateActive, types.LastUpdateStatusSuccessful
	switch {
	case now.Before(v.Ready):
		c.State, c.StateReasonCode, c.StateReason = types.StatePending, types.StateReasonCodeCreating, aws.String("The function is being created.")
		c.LastUpdateStatus = types.LastUpdateStatusInProgress
	case now.Before(v.Settled):
		c.LastUpdateStatus = types.LastUpdateStatusInProgress
		c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = aws.String("The function is being created."), "Creating"
	}
	if v.Environment != nil {
		c.Environment = &types.EnvironmentResponse{Variables: v.Environment}
	}
	if qualified && !strings.HasSuffix(*c.FunctionArn, ":"+*c.Version) {
		c.FunctionArn = aws.String(*c.FunctionArn + ":" + *c.Version)
	}
	return &c
}

// convert makes one of the SDK's structures out of another that has the same
// members.
func convert[T any](from any) (*T, error) {
	document, err := awsjson.Marshal(from)
	if err != nil {
		return nil, err
	}
	to := new(T)
	return to, awsjson.Unmarshal(document, to)
}

func (a api) GetFunction(_ context.Context, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, v, err := a.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &lambda.GetFunctionOutput{
		Configuration: v.shown(time.Now(), in.Qualifier != nil), Code: &types.FunctionCodeLocation{RepositoryType: aws.String("S3")},
	}
	if len(f.Tags) > 0 {
		out.Tags = f.Tags
	}
	if f.Reserved != nil {
		out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: f.Reserved}
	}
	return out, nil
}

func (a api) GetFunctionConfiguration(_ context.Context, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, v, err := a.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return convert[lambda.GetFunctionConfigurationOutput](v.shown(time.Now(), in.Qualifier != nil))
}

// GetFunctionCodeSigningConfig answers that a function has none.
func (a api) GetFunctionCodeSigningConfig(_ context.Context, in *lambda.GetFunctionCodeSigningConfigInput) (*lambda.GetFunctionCodeSigningConfigOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, v, err := a.find(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return &lambda.GetFunctionCodeSigningConfigOutput{FunctionName: v.FunctionName}, nil
}

func (a api) ListFunctions(_ context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := &lambda.ListFunctionsOutput{}
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(a.state.Functions)) {
		f := a.state.Functions[name]
		out.Functions = append(out.Functions, *f.Latest.shown(now, false))
		if in.FunctionVersion == types.FunctionVersionAll {
			for _, v := range f.Published {
				out.Functions = append(out.Functions, *v.shown(now, true))
			}
		}
	}
	var err error
	out.Functions, out.NextMarker, err = page(out.Functions, in.Marker, in.MaxItems)
	return out, err
}

func (a api) DeleteFunction(_ context.Context, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	return change(a.Service, func() (*lambda.DeleteFunctionOutput, error) {
		f, v, err := a.find(in.FunctionName, in.Qualifier)
		if err != nil {
			return nil, err
		}
		if v != f.Latest {
			f.Published = slices.DeleteFunc(f.Published, func(p *version) bool { return p == v })
		} else if in.Qualifier != nil {
			return nil, errParameter("$LATEST version cannot be deleted without deleting the function.")
		} else {
			delete(a.state.Functions, *v.FunctionName)
			delete(a.handlers, *v.FunctionName)
		}
		a.sweep()
		return &lambda.DeleteFunctionOutput{}, nil
	})
}

// Register has a function run in this process. The API shows it, and changes it,
// as one that it created; where it did create the function, the code that it was
// given stays unused if it can be run, and else gives way.
func (s *Service) Register(functionARN string, handler Handler) error {
	name, _, ok := s.split(functionARN)
	if !ok {
		return errNotFound("Function not found: %s", functionARN)
	}
	v, err := created(name, &lambda.CreateFunctionInput{
		Code: &types.FunctionCode{}, Role: aws.String("arn:aws:iam::" + s.options.Account + ":role/" + name), Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Timeout: aws.Int32(900), Architectures: []types.Architecture{architecture(runtime.GOARCH)},
	})
	if err != nil {
		return err
	}
	_, err = change(s, func() (struct{}, error) {
		s.handlers[name] = handler
		if s.state.Functions[name] == nil {
			v.FunctionArn, v.CodeSha256 = aws.String(s.arn(name)), aws.String(digest(nil))
			v.touch(time.Now())
			s.state.Functions[name] = &function{Latest: v, EventRules: map[string]*types.FunctionEventInvokeConfig{}}
		}
		return struct{}{}, nil
	})
	return err
}

// orDefault is a pointer to the value, or to the default if there is none.
func orDefault[T comparable](value *T, otherwise T) *T {
	var zero T
	if value == nil || *value == zero {
		return &otherwise
	}
	return value
}

func layers(arns []string) (list []types.Layer) {
	for _, arn := range arns {
		list = append(list, types.Layer{Arn: aws.String(arn)})
	}
	return list
}

func snapStart(in *types.SnapStart) *types.SnapStartResponse {
	if in == nil {
		return nil
	}
	return &types.SnapStartResponse{ApplyOn: in.ApplyOn, OptimizationStatus: types.SnapStartOptimizationStatusOff}
}

func tracing(in *types.TracingConfig) *types.TracingConfigResponse {
	if in == nil {
		return nil
	}
	return &types.TracingConfigResponse{Mode: in.Mode}
}

func vpc(in *types.VpcConfig) *types.VpcConfigResponse {
	if in == nil || len(in.SubnetIds) == 0 {
		return nil
	}
	return &types.VpcConfigResponse{
		SubnetIds: in.SubnetIds, SecurityGroupIds: in.SecurityGroupIds, Ipv6AllowedForDualStack: in.Ipv6AllowedForDualStack,
		VpcId: aws.String("vpc-0a1b2c3d4e5f60001"),
	}
}

// page is the page that a marker names, at most limit items or fifty.
func page[T any](items []T, marker *string, limit *int32) ([]T, *string, error) {
	found, next, err := awsjson.Page(items, marker, int(cmp.Or(aws.ToInt32(limit), 50)))
	if err != nil {
		return nil, nil, errParameter("Invalid marker")
	}
	return found, next, nil
}
