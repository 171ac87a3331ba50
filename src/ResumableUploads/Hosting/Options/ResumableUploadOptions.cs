using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads;

/// <summary>
/// Configures resumable uploads. All defaults are safe for a server on the public internet. With <c>AddResumableUploads()</c>, values are
/// also read from the configuration section <c>ResumableUploads</c>.
/// </summary>
public sealed class ResumableUploadOptions
{
    /// <summary>Gets or sets the path that receives uploads. <c>MapResumableUploads</c> ignores it and uses its route pattern.</summary>
    /// <remarks>Defaults to <c>/upload</c>. Must start with <c>/</c> and contain at least one other character.</remarks>
    public string UploadPath { get; set; } = "/upload";

    /// <summary>
    /// Gets or sets the path that returns the current offset of an upload, or <see langword="null"/> for no separate path. The upload path
    /// also answers status requests.
    /// </summary>
    /// <remarks>Defaults to <c>/status</c>. Must differ from <see cref="UploadPath"/>, also without a trailing slash.</remarks>
    public string? StatusPath { get; set; } = "/status";

    /// <summary>
    /// Gets or sets the directory of the file-system store. A relative path is relative to the content root. The full path is logged at start.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: a directory next to the content root, whose name is that of the content root with the suffix <c>-uploads</c>. A host
    /// that reloads its configuration watches the content root itself. If the directory cannot be created, or the directory <c>uploads</c> of an earlier
    /// version exists below the content root, it is that one. Must not be empty.
    /// </remarks>
    public string? Directory { get; set; }

    /// <summary>Gets or sets the store that keeps the uploads.</summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: the <see cref="IUploadStore"/> service if one is registered, otherwise the file-system store
    /// in <see cref="Directory"/>.
    /// </remarks>
    public IUploadStore? Store { get; set; }

    /// <summary>Gets or sets the maximum size of an upload, in bytes.</summary>
    /// <remarks>Defaults to 10 GiB. Must be greater than 0. Larger uploads are rejected with 413.</remarks>
    public long MaxUploadSize
    {
        get;
        set => (field, IsMaxUploadSizeSet) = (value, true);
    } = 10L << 30;

    /// <summary>Gets or sets how long an incomplete upload is kept after its last byte was received.</summary>
    /// <remarks>
    /// Defaults to 7 days. Must be greater than zero. An expired upload is deleted; appending to it returns the protocol's "not found" response. A complete upload
    /// whose <see cref="OnCompleted"/> failed does not expire before its attempts are used up.
    /// </remarks>
    public TimeSpan Expiration { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Gets or sets who owns the uploads of clients that are not signed in.</summary>
    /// <remarks>Defaults to <see cref="AnonymousOwner.PerBrowser"/>.</remarks>
    public AnonymousOwner AnonymousOwner { get; set; } = AnonymousOwner.PerBrowser;

    /// <summary>
    /// Gets or sets a function that returns a string identifying the owner of a request's uploads, or <see langword="null"/> for an
    /// anonymous client.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>: the signed-in user is the owner.</remarks>
    public Func<HttpContext, string?>? Owner { get; set; }

    /// <summary>
    /// Gets or sets a function that returns the scope in which, together with the owner and the endpoint, a request's file id is unique.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: the scope is the host (without port), the path base and the upload path, so that the same file sent to two
    /// hosts or URLs is two uploads.
    /// </remarks>
    public Func<HttpContext, string>? Scope { get; set; }

    /// <summary>
    /// Gets or sets whether <c>UseResumableUploads</c> accepts upload tickets of <see cref="IUploadTickets"/>. Endpoints accept them if they have
    /// <c>AllowUploadTickets()</c>.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>. Requires <c>AddDataProtection()</c>.</remarks>
    public bool AcceptTickets { get; set; }

    /// <summary>
    /// Gets the names of query parameters that may differ between the requests of an upload to an endpoint of the app, such as a token that is
    /// refreshed. The endpoint receives their last value.
    /// </summary>
    /// <remarks>
    /// Defaults to an empty list. Names are compared without regard to case. A request that differs in any other parameter is rejected with 409.
    /// </remarks>
    public IList<string> VolatileQueryParameters { get; } = [];

    /// <summary>
    /// Gets or sets whether <c>GET</c> on the URL of a completed upload returns its content to its owner, as an attachment and with range
    /// support. Applies to protocols in which an upload has a URL (tus).
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>. Content that was moved away cannot be downloaded.</remarks>
    public bool AllowDownload { get; set; }

    /// <summary>
    /// Gets or sets whether the owner of an upload can follow its progress with <c>GET</c> and <c>Accept: text/event-stream</c>, which returns server-sent events.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="false"/>: the response is that of a status request. At most 16 clients follow an upload and 64 those of an owner (429), and 1,000
    /// a process (503). All anonymous clients of a network count as one owner. Each follower reads the record of the upload from the store up to four times per second.
    /// </remarks>
    public bool ProgressEvents { get; set; }

    /// <summary>Gets the limits per owner and the minimum data rate.</summary>
    public ResumableUploadLimits Limits { get; } = new();

    /// <summary>Gets the timeouts, retention times and intervals.</summary>
    public ResumableUploadTimeouts Timeouts { get; } = new();

    /// <summary>Gets the options of the completion handler: attempts, lease and stored response.</summary>
    public ResumableUploadHandlerOptions Handler { get; } = new();

    /// <summary>Gets the options of the file-id protocol.</summary>
    public ResumableUploadFileIdOptions FileId { get; } = new();

    /// <summary>Gets the options of tus.</summary>
    public ResumableUploadTusOptions Tus { get; } = new();

    /// <summary>Gets the options of the IETF draft.</summary>
    public ResumableUploadIetfOptions Ietf { get; } = new();

    /// <summary>Gets the options of the file-system store. Other stores ignore them.</summary>
    public ResumableUploadFileSystemOptions FileSystem { get; } = new();

    /// <summary>
    /// Gets or sets the callback that runs before an upload is created. It can refuse the upload and choose the file name.
    /// </summary>
    /// <remarks>
    /// The token is canceled <see cref="ResumableUploadTimeouts.AppendGracePeriod"/> after the client has disconnected, so that the bytes
    /// received until then are kept.
    /// </remarks>
    public Func<UploadCreating, CancellationToken, Task>? OnCreating { get; set; }

    /// <summary>
    /// Gets or sets the callback that runs while bytes become durable. Calls are sequential, in order of the offset, and never follow
    /// <see cref="OnCompleted"/>.
    /// </summary>
    /// <remarks>It runs at most once per <see cref="ResumableUploadTimeouts.ProgressInterval"/>.</remarks>
    public Func<UploadProgress, CancellationToken, Task>? OnProgress { get; set; }

    /// <summary>
    /// Gets or sets the completion handler, which runs when all bytes of an upload are durable. It runs again if it throws, or if the
    /// process ends before its result is stored.
    /// </summary>
    /// <remarks>The token is canceled when the server stops, not when the client disconnects.</remarks>
    public Func<CompletedUpload, CancellationToken, Task>? OnCompleted { get; set; }

    /// <summary>
    /// Gets or sets the callback that runs when a fully received upload is dead-lettered: its handler failed
    /// <see cref="ResumableUploadHandlerOptions.MaxAttempts"/> times, or no client requested its result before it expired. The content can
    /// still be read and moved.
    /// </summary>
    /// <remarks>It runs again if the process ends while it runs.</remarks>
    public Func<UploadDeadLettered, CancellationToken, Task>? OnDeadLettered { get; set; }

    /// <summary>Gets or sets the callback that runs after an expired upload was deleted.</summary>
    public Func<UploadExpired, CancellationToken, Task>? OnExpired { get; set; }

    /// <summary>Gets the event classes, see <c>AddEvents()</c>.</summary>
    internal IList<EventsRegistration> Events { get; private set; } = [];

    /// <summary>Gets or sets whether the file-system store is used even if another store is registered as a service.</summary>
    internal bool IsFileSystemStoreRequired { get; set; }

    /// <summary>Gets or sets whether <see cref="MaxUploadSize"/> was set, even if to the default.</summary>
    internal bool IsMaxUploadSizeSet { get; set; }

    /// <summary>Removes the completion handlers, those of event classes included: an endpoint of the app is the handler instead.</summary>
    internal void RemoveCompletionHandlers()
    {
        OnCompleted = null;
        Events = [.. Events.Select(static events => events.WithoutCompletionHandler())];
    }

    /// <summary>Keeps uploads in memory, for tests and for small uploads that may be lost when the process ends.</summary>
    /// <param name="maxTotalSize">The maximum total size of all uploads, in bytes. Defaults to 256 MiB.</param>
    public void UseMemoryStore(long maxTotalSize = 256L << 20) => Store = new MemoryUploadStore(maxTotalSize);
}
