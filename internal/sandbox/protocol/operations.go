package protocol

import "net/http"

// The names of the services' operations in X-Amz-Target, ours: they have none of
// their own.
const (
	scheduler = "AWSScheduler."
	lambda    = "AWSLambda."
)

// operations are all operations of restJson1 by method and path.
//
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
func operations() map[string]operation {
	const (
		functions = "/2015-03-31/functions"
		function  = functions + "/{FunctionName}"
		events    = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
		tags      = "/2017-03-31/tags/{Resource}"
	)
	created, none := http.StatusCreated, http.StatusNoContent
	return map[string]operation{
		"GET /schedules":                                               {target: scheduler + "ListSchedules"},
		"POST /schedules/{Name}":                                       {target: scheduler + "CreateSchedule"},
		"PUT /schedules/{Name}":                                        {target: scheduler + "UpdateSchedule"},
		"GET /schedules/{Name}":                                        {target: scheduler + "GetSchedule"},
		"DELETE /schedules/{Name}":                                     {target: scheduler + "DeleteSchedule"},
		"GET /schedule-groups":                                         {target: scheduler + "ListScheduleGroups"},
		"POST /schedule-groups/{Name}":                                 {target: scheduler + "CreateScheduleGroup"},
		"GET /schedule-groups/{Name}":                                  {target: scheduler + "GetScheduleGroup"},
		"DELETE /schedule-groups/{Name}":                               {target: scheduler + "DeleteScheduleGroup"},
		"POST /tags/{ResourceArn}":                                     {target: scheduler + "TagResource"},
		"GET /tags/{ResourceArn}":                                      {target: scheduler + "ListTagsForResource"},
		"DELETE /tags/{ResourceArn}":                                   {target: scheduler + "UntagResource"},
		"GET " + functions:                                             {target: lambda + "ListFunctions"},
		"GET " + functions + "/{$}":                                    {target: lambda + "ListFunctions"},
		"POST " + functions:                                            {target: lambda + "CreateFunction", status: created},
		"GET " + function:                                              {target: lambda + "GetFunction"},
		"DELETE " + function:                                           {target: lambda + "DeleteFunction", status: none},
		"GET " + function + "/configuration":                           {target: lambda + "GetFunctionConfiguration"},
		"PUT " + function + "/configuration":                           {target: lambda + "UpdateFunctionConfiguration"},
		"PUT " + function + "/code":                                    {target: lambda + "UpdateFunctionCode"},
		"GET " + function + "/versions":                                {target: lambda + "ListVersionsByFunction"},
		"POST " + function + "/versions":                               {target: lambda + "PublishVersion", status: created},
		"POST " + function + "/policy":                                 {target: lambda + "AddPermission", status: created},
		"GET " + function + "/policy":                                  {target: lambda + "GetPolicy"},
		"DELETE " + function + "/policy/{StatementId}":                 {target: lambda + "RemovePermission", status: none},
		"GET /2020-06-30/functions/{FunctionName}/code-signing-config": {target: lambda + "GetFunctionCodeSigningConfig"},
		"PUT /2017-10-31/functions/{FunctionName}/concurrency":         {target: lambda + "PutFunctionConcurrency"},
		"GET /2019-09-30/functions/{FunctionName}/concurrency":         {target: lambda + "GetFunctionConcurrency"},
		"DELETE /2017-10-31/functions/{FunctionName}/concurrency":      {target: lambda + "DeleteFunctionConcurrency", status: none},
		"PUT " + events:                                                {target: lambda + "PutFunctionEventInvokeConfig"},
		"POST " + events:                                               {target: lambda + "UpdateFunctionEventInvokeConfig"},
		"GET " + events:                                                {target: lambda + "GetFunctionEventInvokeConfig"},
		"DELETE " + events:                                             {target: lambda + "DeleteFunctionEventInvokeConfig", status: none},
		"GET " + events + "/list":                                      {target: lambda + "ListFunctionEventInvokeConfigs"},
		"POST " + tags:                                                 {target: lambda + "TagResource", status: none},
		"GET " + tags:                                                  {target: lambda + "ListTags"},
		"DELETE " + tags:                                               {target: lambda + "UntagResource", status: none},
		"POST " + function + "/invocations": {
			target: lambda + "Invoke", payload: "Payload", code: "StatusCode",
			in: map[string]string{
				"X-Amz-Invocation-Type": "InvocationType", "X-Amz-Log-Type": "LogType", "X-Amz-Client-Context": "ClientContext",
			},
			out: map[string]string{
				"X-Amz-Function-Error": "FunctionError", "X-Amz-Log-Result": "LogResult", "X-Amz-Executed-Version": "ExecutedVersion",
			},
		},
	}
}
