"""What boto3 sees of the seeded sandbox, and moves there."""

import datetime
import time

import boto3
from botocore.exceptions import ClientError


def code(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


ecs, events, scheduler = boto3.client("ecs"), boto3.client("events"), boto3.client("scheduler")
logs, cloudwatch = boto3.client("logs"), boto3.client("cloudwatch")

# A deployment, waited for.
service = ecs.describe_services(cluster="cluster1", services=["service1"])["services"][0]
ecs.update_service(cluster="cluster1", service="service1", forceNewDeployment=True)
ecs.get_waiter("services_stable").wait(cluster="cluster1", services=["service1"], WaiterConfig={"Delay": 1})
assert service["createdAt"].tzinfo, service["createdAt"]

# A task that no service runs, and its log.
network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
run = ecs.run_task(cluster="cluster1", taskDefinition="cluster1-batchapp1", launchType="FARGATE", networkConfiguration=network, startedBy="me")
arn = run["tasks"][0]["taskArn"]
ecs.get_waiter("tasks_stopped").wait(cluster="cluster1", tasks=[arn], WaiterConfig={"Delay": 1})
task = ecs.describe_tasks(cluster="cluster1", tasks=[arn])["tasks"][0]
assert task["stopCode"] == "EssentialContainerExited" and task["containers"][0]["exitCode"] == 0, task
assert ecs.list_tasks(cluster="cluster1", startedBy="me")["taskArns"] == [], "a stopped task is listed as running"
stream = "batchapp1/batchapp1/" + arn.split("/")[-1]
lines = [e["message"] for e in logs.get_log_events(logGroupName="/ecs/cluster1/batchapp1", logStreamName=stream)["events"]]
assert lines == ["batchapp1:1.0.0 started", "done"], lines
groups = [g["logGroupName"] for page in logs.get_paginator("describe_log_groups").paginate() for g in page["logGroups"]]
assert "/ecs/cluster1/webapp1" in groups, groups

# EventBridge: a rule and its target, all of it.
target = events.list_targets_by_rule(Rule="cluster1-batchapp1")["Targets"][0]
assert target["EcsParameters"]["TaskCount"] == 1, target
del target["EcsParameters"]["NetworkConfiguration"]
assert events.put_targets(Rule="cluster1-batchapp1", Targets=[target])["FailedEntryCount"] == 0
assert events.list_targets_by_rule(Rule="cluster1-batchapp1")["Targets"] == [target]
assert code(events.delete_rule, Name="cluster1-batchapp1") == "ValidationException"
events.disable_rule(Name="cluster1-batchapp1")
assert [r["State"] for r in events.list_rules(NamePrefix="cluster1-")["Rules"]] == ["DISABLED"]

# EventBridge Scheduler: created for a moment from now, it runs once.
schedule = scheduler.get_schedule(Name="cluster2-batchapp1")
assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}, schedule
assert schedule["CreationDate"].tzinfo, schedule
scheduler.create_schedule_group(Name="group1")
start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
scheduler.create_schedule(
    Name="late", GroupName="group1", ScheduleExpression="cron(0 3 * * ? *)", ScheduleExpressionTimezone="America/Toronto", StartDate=start,
    FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}, Target=schedule["Target"], State="DISABLED",
)
late = scheduler.get_schedule(Name="late", GroupName="group1")
assert late["Target"] == schedule["Target"] and late["State"] == "DISABLED" and late["ScheduleExpressionTimezone"] == "America/Toronto", late
assert abs((late["StartDate"] - start).total_seconds()) < 2, late
assert code(scheduler.get_schedule, Name="late") == "ResourceNotFoundException"
assert [s["Name"] for s in scheduler.list_schedules()["Schedules"]] == ["cluster2-batchapp1", "late"]
scheduler.delete_schedule(Name="late", GroupName="group1")
scheduler.delete_schedule_group(Name="group1")
for _ in range(100):
    ran = ecs.list_tasks(cluster="cluster2", family="cluster2-batchapp1", desiredStatus="STOPPED")["taskArns"]
    if ran:
        break
    time.sleep(0.2)
by = ecs.describe_tasks(cluster="cluster2", tasks=ran)["tasks"][0]["startedBy"]
assert by == "chronos-schedule/cluster2-batchapp1", by

# CloudWatch.
cloudwatch.put_metric_alarm(
    AlarmName="errors", Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=-1,
    ComparisonOperator="LessThanThreshold", Dimensions=[{"Name": "a", "Value": "b"}],
)
cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="too many")
alarm = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"][0]
assert alarm["AlarmName"] == "errors" and alarm["Threshold"] == -1 and alarm["StateUpdatedTimestamp"].tzinfo, alarm
assert code(cloudwatch.delete_alarms, AlarmNames=["errors", "x"]) == "ResourceNotFound"
cloudwatch.delete_alarms(AlarmNames=["errors"])
assert cloudwatch.describe_alarms()["MetricAlarms"] == []
