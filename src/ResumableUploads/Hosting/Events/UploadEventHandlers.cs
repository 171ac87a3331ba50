namespace ResumableUploads.Hosting.Events;

/// <summary>
/// The handlers of one set of options: for each event the event classes in the order of their registration, then the delegate of the
/// options. A handler is null if neither handles the event.
/// </summary>
internal sealed class UploadEventHandlers
{
    private readonly ResumableUploadOptions _options;
    private readonly EventsRegistration[] _classes;

    public UploadEventHandlers(ResumableUploadOptions options)
    {
        (_options, _classes) = (options, [.. options.Events]);
        OnCreating = CreatingHandler();
        OnProgress = Combine<UploadProgress>(nameof(ResumableUploadEvents.OnProgressAsync), static (events, upload, token) => events.OnProgressAsync(upload, token), options.OnProgress);
        OnCompleted = Combine<CompletedUpload>(nameof(ResumableUploadEvents.OnCompletedAsync), static (events, upload, token) => events.OnCompletedAsync(upload, token), options.OnCompleted);
        OnDeadLettered = Combine<UploadDeadLettered>(nameof(ResumableUploadEvents.OnDeadLetteredAsync), static (events, upload, token) => events.OnDeadLetteredAsync(upload, token), options.OnDeadLettered);
        OnExpired = Combine<UploadExpired>(nameof(ResumableUploadEvents.OnExpiredAsync), static (events, upload, token) => events.OnExpiredAsync(upload, token), options.OnExpired);
    }

    public Func<UploadCreating, CancellationToken, Task>? OnCreating { get; }

    public Func<UploadProgress, CancellationToken, Task>? OnProgress { get; }

    public Func<CompletedUpload, CancellationToken, Task>? OnCompleted { get; }

    public Func<UploadDeadLettered, CancellationToken, Task>? OnDeadLettered { get; }

    public Func<UploadExpired, CancellationToken, Task>? OnExpired { get; }

    /// <summary>Returns a handler that stops at the first refusal.</summary>
    private Func<UploadCreating, CancellationToken, Task>? CreatingHandler()
    {
        EventsRegistration[] classes = Overriding(nameof(ResumableUploadEvents.OnCreatingAsync));
        Func<UploadCreating, CancellationToken, Task>? last = _options.OnCreating;
        return classes.Length == 0 ? last : async (upload, cancellationToken) =>
        {
            foreach (EventsRegistration one in classes)
            {
                await one.Resolve(upload.Services).OnCreatingAsync(upload, cancellationToken);
                if (upload.Rejection is not null)
                {
                    return;
                }
            }

            if (last is not null)
            {
                await last(upload, cancellationToken);
            }
        };
    }

    private Func<T, CancellationToken, Task>? Combine<T>(
        string method, Func<ResumableUploadEvents, T, CancellationToken, Task> call, Func<T, CancellationToken, Task>? last)
        where T : UploadEvent
    {
        EventsRegistration[] classes = Overriding(method);
        return classes.Length == 0 ? last : async (upload, cancellationToken) =>
        {
            foreach (EventsRegistration one in classes)
            {
                await call(one.Resolve(upload.Services), upload, cancellationToken);
            }

            if (last is not null)
            {
                await last(upload, cancellationToken);
            }
        };
    }

    private EventsRegistration[] Overriding(string method) => [.. _classes.Where(one => one.Overridden.Contains(method))];
}
