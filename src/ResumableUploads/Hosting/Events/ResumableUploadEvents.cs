namespace ResumableUploads;

/// <summary>
/// Handles the events of uploads in a class from the container. Derive from it, override the methods that you need, and add it with
/// <c>AddResumableUploads().AddEvents&lt;TEvents&gt;()</c>.
/// </summary>
/// <remarks>
/// The class is resolved for each event, from the scope of the request or, for events without a request, from a new scope. The class runs
/// before the delegate of <see cref="ResumableUploadOptions"/> for the same event.
/// </remarks>
public abstract class ResumableUploadEvents
{
    /// <summary>
    /// Called before an upload is created. It can refuse the upload and choose the file name. After a refusal, later event classes and
    /// <see cref="ResumableUploadOptions.OnCreating"/> are not called.
    /// </summary>
    /// <param name="upload">The upload to be created.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the event is handled.</returns>
    public virtual Task OnCreatingAsync(UploadCreating upload, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called while bytes become durable, at most once per <see cref="ResumableUploadTimeouts.ProgressInterval"/>. Calls are sequential, in
    /// order of the offset.
    /// </summary>
    /// <param name="upload">The upload and its durable offset.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the event is handled.</returns>
    public virtual Task OnProgressAsync(UploadProgress upload, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called when all bytes of an upload are durable. An overridden method is a completion handler, like
    /// <see cref="ResumableUploadOptions.OnCompleted"/>.
    /// </summary>
    /// <remarks>
    /// If both exist, both run in one attempt, the class first, with the same <see cref="CompletedUpload"/>. If one throws, the attempt has
    /// failed, and all of them run again in the next attempt. Not called for endpoints with <c>WithResumableUploads()</c>: the endpoint
    /// itself is the handler.
    /// </remarks>
    /// <param name="upload">The upload.</param>
    /// <param name="cancellationToken">The token that is canceled when the server stops. It is not canceled when the client disconnects.</param>
    /// <returns>A task that completes when the upload is handled.</returns>
    public virtual Task OnCompletedAsync(CompletedUpload upload, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called when a fully received upload is dead-lettered: its handler failed
    /// <see cref="ResumableUploadHandlerOptions.MaxAttempts"/> times, or no client requested its result before it expired.
    /// </summary>
    /// <param name="upload">The upload. Its content can still be read and moved.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the event is handled.</returns>
    public virtual Task OnDeadLetteredAsync(UploadDeadLettered upload, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Called after an expired upload was deleted.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the event is handled.</returns>
    public virtual Task OnExpiredAsync(UploadExpired upload, CancellationToken cancellationToken) => Task.CompletedTask;
}
