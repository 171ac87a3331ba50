using System.Diagnostics;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>
/// The activities of append requests, and of completion handlers that run without a request. Each has a link to the activity that created the upload, whose
/// identifier is in the record, so that the requests of one upload can be found although each of them has a trace of its own.
/// </summary>
internal static class UploadTracing
{
    public const string AppendActivity = "resumable_uploads.append";
    public const string HandlerActivity = "resumable_uploads.handler";

    public const string PreemptingEvent = "resumable_uploads.preempting";
    public const string PreemptedEvent = "resumable_uploads.preempted";
    public const string SyncEvent = "resumable_uploads.sync";
    public const string ReceivedEvent = "resumable_uploads.received";
    public const string CompletedEvent = "resumable_uploads.completed";
    public const string DeadLetteredEvent = "resumable_uploads.dead_lettered";
    public const string HandlerStartedEvent = "resumable_uploads.handler.started";
    public const string HandlerEndedEvent = "resumable_uploads.handler.ended";

    public const string KeyTag = "resumable_uploads.upload.key";
    public const string OffsetTag = "resumable_uploads.upload.offset";
    public const string AttemptTag = "resumable_uploads.handler.attempt";

    /// <summary>The maximum number of events for syncs in one activity. A long append has one per second.</summary>
    public const int MaxSyncEvents = 100;

    private static readonly ActivitySource Source = new(DiagnosticNames.ActivitySource);

    /// <summary>Starts the activity of an append request, whose parent is that of the request. Returns null if no listener samples it.</summary>
    public static Activity? StartAppend(AppendCommand command)
    {
        Activity? activity = Source.StartActivity(AppendActivity);
        if (activity is { IsAllDataRequested: true })
        {
            SetOrigin(activity, command.Key, command.Origin);
            activity.SetTag(OffsetTag, command.Offset);
        }

        return activity;
    }

    /// <summary>Adds the result of an append request.</summary>
    public static void SetResult(Activity? activity, UploadResult result)
    {
        if (activity is not { IsAllDataRequested: true })
        {
            return;
        }

        string outcome = OutcomeNames.Of(result.Kind);
        activity.SetTag(DiagnosticNames.Outcome, outcome);
        if (result.Kind == UploadResultKind.Preempted)
        {
            activity.AddEvent(new ActivityEvent(PreemptedEvent));
        }

        if (OutcomeNames.IsServerFault(result.Kind))
        {
            activity.SetTag(DiagnosticNames.ErrorType, outcome);
            activity.SetStatus(ActivityStatusCode.Error);
        }
    }

    /// <summary>Starts the activity of a completion handler, unless it runs within that of an append.</summary>
    public static Activity? StartHandler(UploadInfo info, EngineRecord record)
    {
        Activity? activity = Current is null ? Source.StartActivity(HandlerActivity) : null;
        if (activity is { IsAllDataRequested: true })
        {
            SetOrigin(activity, info.Key, UploadOrigin.From(record));
            LinkToCreation(activity, record);
        }

        return activity;
    }

    /// <summary>Adds a link to the activity that created an upload, unless it is the given one.</summary>
    public static void LinkToCreation(Activity? activity, EngineRecord record)
    {
        if (activity is { IsAllDataRequested: true }
            && ActivityContext.TryParse(record.TraceParent, null, isRemote: true, out ActivityContext creation)
            && creation.SpanId != activity.SpanId)
        {
            activity.AddLink(new ActivityLink(creation));
        }
    }

    /// <summary>Returns the identifier of an activity for the record of the upload that it creates, or null if the activity is not recorded.</summary>
    public static string? GetTraceParent(Activity? activity) => activity is { Recorded: true, IdFormat: ActivityIdFormat.W3C } ? activity.Id : null;

    /// <summary>Adds an event to the activity of the current append or handler, if there is one.</summary>
    public static void AddEvent(string name) => Current?.AddEvent(new ActivityEvent(name));

    /// <inheritdoc cref="AddEvent(string)"/>
    public static void AddEvent(string name, string tag, object? value) => AddEvent(Current, name, tag, value);

    /// <summary>Adds an event to an activity, if it is not null.</summary>
    public static void AddEvent(Activity? activity, string name, string tag, object? value)
    {
        if (activity is { IsAllDataRequested: true })
        {
            activity.AddEvent(new ActivityEvent(name, tags: new ActivityTagsCollection([new(tag, value)])));
        }
    }

    /// <summary>Gets the activity of the current append or handler, or null.</summary>
    private static Activity? Current => Activity.Current is { IsAllDataRequested: true } activity && activity.Source == Source ? activity : null;

    private static void SetOrigin(Activity activity, UploadKey key, UploadOrigin origin)
    {
        activity.SetTag(KeyTag, ShortKey.Of(key));
        activity.SetTag(DiagnosticNames.Protocol, origin.Protocol);
        activity.SetTag(DiagnosticNames.Route, origin.Endpoint);
    }
}
