package lambda

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (a api) UpdateFunctionCode(_ context.Context, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	code, err := codeOf(in.ZipFile, in.S3Bucket, in.ImageUri)
	if err != nil {
		return nil, err
	}
	kept := &version{}
	if err := a.keep(code, kept); err != nil {
		return nil, err
	}
	return change(a.Service, func() (*lambda.UpdateFunctionCodeOutput, error) {
		now := time.Now()
		f, changed, err := a.changing(in.FunctionName, in.RevisionId, now)
		if err != nil {
			return nil, err
		}
		changed.CodeSha256, changed.CodeSize = kept.CodeSha256, kept.CodeSize
		if len(in.Architectures) > 0 {
			changed.Architectures = in.Architectures
		}
		if err := changed.check(); err != nil {
			return nil, err
		}
		if in.DryRun {
			return convert[lambda.UpdateFunctionCodeOutput](changed.shown(now, false))
		}
		v := a.changed(f, changed, now)
		if in.Publish {
			v = a.publish(f, "")
		}
		return convert[lambda.UpdateFunctionCodeOutput](v.shown(now, in.Publish))
	})
}

func (a api) UpdateFunctionConfiguration(_ context.Context, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	return change(a.Service, func() (*lambda.UpdateFunctionConfigurationOutput, error) {
		now := time.Now()
		f, changed, err := a.changing(in.FunctionName, in.RevisionId, now)
		if err != nil {
			return nil, err
		}
		changed.configure(in)
		changed.complete()
		if err := changed.check(); err != nil {
			return nil, err
		}
		return convert[lambda.UpdateFunctionConfigurationOutput](a.changed(f, changed, now).shown(now, false))
	})
}

// configure changes what the request has.
func (v *version) configure(in *lambda.UpdateFunctionConfigurationInput) {
	set(&v.Description, in.Description)
	set(&v.Handler, in.Handler)
	set(&v.Role, in.Role)
	set(&v.KMSKeyArn, in.KMSKeyArn)
	set(&v.MemorySize, in.MemorySize)
	set(&v.Timeout, in.Timeout)
	set(&v.EphemeralStorage, in.EphemeralStorage)
	set(&v.LoggingConfig, in.LoggingConfig)
	set(&v.SnapStart, snapStart(in.SnapStart))
	set(&v.TracingConfig, tracing(in.TracingConfig))
	if in.Runtime != "" {
		v.Runtime = in.Runtime
	}
	if in.Environment != nil {
		v.Environment = in.Environment.Variables
	}
	if in.VpcConfig != nil {
		v.VpcConfig = vpc(in.VpcConfig)
	}
	if in.Layers != nil {
		v.Layers = layers(in.Layers)
	}
	if in.FileSystemConfigs != nil {
		v.FileSystemConfigs = in.FileSystemConfigs
	}
	if in.DeadLetterConfig != nil {
		v.DeadLetterConfig = in.DeadLetterConfig
		if aws.ToString(in.DeadLetterConfig.TargetArn) == "" {
			v.DeadLetterConfig = nil
		}
	}
}

func set[T any](member **T, value *T) {
	if value != nil {
		*member = value
	}
}

// changing is a copy of a function's $LATEST that may be changed. The error says
// that the function is not there, is being changed, or was changed since. The
// caller holds the lock.
// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
func (s *Service) changing(named, revision *string, now time.Time) (*function, *version, error) {
	f, _, err := s.find(named, nil)
	if err != nil {
		return nil, nil, err
	}
	v := *f.Latest
	switch {
	case now.Before(v.Ready):
		return nil, nil, errConflict("The operation cannot be performed at this time. The function is currently in the following state: %s", types.StatePending)
	case now.Before(v.Settled):
		return nil, nil, errConflict("The operation cannot be performed at this time. An update is in progress for resource: %s", *v.FunctionArn)
	case revision != nil && *revision != *v.RevisionId:
		return nil, nil, errPrecondition()
	}
	return f, &v, nil
}

// changed puts a changed $LATEST in the place of the one that was, whose
// environments end. The caller holds the lock.
func (s *Service) changed(f *function, v *version, now time.Time) *version {
	v.touch(now)
	v.Settled = now.Add(s.scaled(settleTime))
	f.Latest = v
	s.sweep()
	return v
}
