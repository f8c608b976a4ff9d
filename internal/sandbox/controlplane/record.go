package controlplane

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// record is a service deployment: what ListServiceDeployments tells of a
// deployment, long after it has left the service's list.
type record types.ServiceDeployment

// record is the current service deployment, once it is recorded.
func (s *service) record() *record { return (*record)(s.Records[0]) }

// recorded says whether the primary deployment has a record: its own, or the
// one that it rolls back.
func (s *service) recorded() bool { return s.primary().Record != "" }

// recordDeployment records the primary deployment, PENDING, and has it begin when
// it is called again. ECS records a moment after UpdateService has answered:
// until then the previous one is the newest.
func (c *ControlPlane) recordDeployment(s *service) {
	d := s.primary()
	if s.recorded() {
		s.record().begin()
		return
	}
	arn := c.arn("service-deployment/" + s.Cluster + "/" + *s.ServiceName + "/" + randomRecord())
	d.Record = arn
	r := &types.ServiceDeployment{
		ServiceDeploymentArn:    aws.String(arn),
		ServiceArn:              s.ServiceArn,
		ClusterArn:              s.ClusterArn,
		CreatedAt:               d.CreatedAt,
		UpdatedAt:               aws.Time(time.Now()),
		Status:                  types.ServiceDeploymentStatusPending,
		DeploymentConfiguration: s.DeploymentConfiguration,
		TargetServiceRevision:   &types.ServiceRevisionSummary{Arn: aws.String(d.Revision)},
		SourceServiceRevisions:  []types.ServiceRevisionSummary{},
		DeploymentCircuitBreaker: &types.ServiceDeploymentCircuitBreaker{
			Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled,
		},
		Alarms: &types.ServiceDeploymentAlarms{
			Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled, AlarmNames: []string{}, TriggeredAlarmNames: []string{},
		},
	}
	if alarms := s.DeploymentConfiguration.Alarms; alarmed(s.DeploymentConfiguration) {
		r.Alarms.Status, r.Alarms.AlarmNames = types.ServiceDeploymentRollbackMonitorsStatusMonitoring, alarms.AlarmNames
	}
	if s.DeploymentConfiguration.DeploymentCircuitBreaker.Enable {
		r.DeploymentCircuitBreaker.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	}
	for _, old := range s.Rollouts[1:] {
		r.SourceServiceRevisions = append(r.SourceServiceRevisions, types.ServiceRevisionSummary{Arn: aws.String(old.Revision)})
	}
	s.Records = append([]*types.ServiceDeployment{r}, s.Records...)
	c.chart(s)
}

// stopRecord stops the current service deployment if it is still going on,
// because a newer one takes over or because it failed without rollback.
func (c *ControlPlane) stopRecord(s *service) {
	r := s.record()
	if !r.open() {
		return
	}
	r.Status = types.ServiceDeploymentStatusStopRequested
	r.UpdatedAt = aws.Time(time.Now())
	c.after(schedulerPass, func() { r.finish(types.ServiceDeploymentStatusStopped, "") })
}

// begin ends the PENDING status.
func (r *record) begin() {
	if r.Status == types.ServiceDeploymentStatusPending {
		r.Status = types.ServiceDeploymentStatusInProgress
		r.StartedAt, r.UpdatedAt = aws.Time(time.Now()), aws.Time(time.Now())
	}
}

// open says whether the service deployment is still going on.
func (r *record) open() bool { return r.FinishedAt == nil }

// finish ends a service deployment, unless it has ended.
func (r *record) finish(status types.ServiceDeploymentStatus, reason string) {
	if !r.open() {
		return
	}
	now := time.Now()
	r.Status = status
	r.FinishedAt, r.UpdatedAt = aws.Time(now), aws.Time(now)
	if status == types.ServiceDeploymentStatusStopped {
		r.StoppedAt = aws.Time(now)
	}
	if reason != "" {
		r.StatusReason = aws.String(reason)
	}
	r.endMonitoring()
	r.closeHooks()
}

// endMonitoring has breaker and alarms watch no more.
func (r *record) endMonitoring() {
	for _, status := range []*types.ServiceDeploymentRollbackMonitorsStatus{&r.DeploymentCircuitBreaker.Status, &r.Alarms.Status} {
		if *status == types.ServiceDeploymentRollbackMonitorsStatusMonitoring {
			*status = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
		}
	}
}

// rollBack marks that the service deployment is being rolled back.
func (r *record) rollBack(revision, reason string) {
	now := time.Now()
	r.Status = types.ServiceDeploymentStatusRollbackInProgress
	r.StatusReason = aws.String(reason)
	r.UpdatedAt = aws.Time(now)
	r.Rollback = &types.Rollback{Reason: aws.String(reason), StartedAt: aws.Time(now), ServiceRevisionArn: aws.String(revision)}
	r.closeHooks()
}

// succeed ends the service deployment once its tasks have taken over.
func (r *record) succeed() {
	r.begin()
	switch r.Status {
	case types.ServiceDeploymentStatusInProgress:
		r.finish(types.ServiceDeploymentStatusSuccessful, "")
	case types.ServiceDeploymentStatusRollbackInProgress:
		r.finish(types.ServiceDeploymentStatusRollbackSuccessful, "")
	default: // over, or about to be stopped
	}
}
