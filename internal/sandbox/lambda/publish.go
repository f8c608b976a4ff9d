package lambda

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (a api) PublishVersion(_ context.Context, in *lambda.PublishVersionInput) (*lambda.PublishVersionOutput, error) {
	return change(a.Service, func() (*lambda.PublishVersionOutput, error) {
		now := time.Now()
		f, v, err := a.changing(in.FunctionName, in.RevisionId, now)
		if err != nil {
			return nil, err
		}
		if in.CodeSha256 != nil && *in.CodeSha256 != *v.CodeSha256 {
			return nil, errParameter("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", *in.CodeSha256, *v.CodeSha256)
		}
		return convert[lambda.PublishVersionOutput](a.publish(f, aws.ToString(in.Description)).shown(now, true))
	})
}

// publish makes a version of $LATEST as it is, or answers with the newest one if
// nothing changed since. The caller holds the lock.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (s *Service) publish(f *function, description string) *version {
	v := *f.Latest
	if description != "" {
		v.Description = &description
	}
	if n := len(f.Published); n > 0 && *f.Published[n-1].RevisionId == *v.RevisionId {
		return f.Published[n-1]
	}
	f.Next++
	v.Version = aws.String(strconv.Itoa(f.Next))
	v.FunctionArn = aws.String(*f.Latest.FunctionArn + ":" + *v.Version)
	f.Published = append(f.Published, &v)
	return &v
}

func (a api) ListVersionsByFunction(_ context.Context, in *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, _, err := a.find(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	list := []types.FunctionConfiguration{*f.Latest.shown(now, true)}
	for _, v := range f.Published {
		list = append(list, *v.shown(now, true))
	}
	out := &lambda.ListVersionsByFunctionOutput{}
	out.Versions, out.NextMarker, err = page(list, in.Marker, in.MaxItems)
	return out, err
}
