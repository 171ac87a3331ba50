using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads;

/// <summary>
/// What an app decides about resumable uploads. Every default is safe on the open internet. With <c>AddResumableUploads()</c> the
/// numbers and paths are also read from the configuration section <c>ResumableUploads</c>.
/// </summary>
public sealed class ResumableUploadOptions
{
    /// <summary>The path that takes bytes. Default: <c>/upload</c>. Not used by <c>MapResumableUploads</c>, which has a pattern.</summary>
    public string UploadPath { get; set; } = "/upload";

    /// <summary>The path that tells how many bytes are there, or null for none: the upload path answers too. Default: <c>/status</c>.</summary>
    public string? StatusPath { get; set; } = "/status";

    /// <summary>Where the file-system store keeps its files, relative to the content root. Default: <c>uploads</c>.</summary>
    public string Directory { get; set; } = "uploads";

    /// <summary>What an acknowledged byte survives in the file-system store. Default: <see cref="Durability.PowerLoss"/>.</summary>
    public Durability Durability { get; set; } = Durability.PowerLoss;

    /// <summary>After how many bytes a running append is made durable at the latest. Default: 64 MiB.</summary>
    public long SyncSize { get; set; } = 64L << 20;

    /// <summary>After what time a running append is made durable at the latest. Default: 5 seconds.</summary>
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The store to use. Default: null, which means the <see cref="IUploadStore"/> among the app's services, and without one the
    /// file-system store in <see cref="Directory"/>.
    /// </summary>
    public IUploadStore? Store { get; set; }

    /// <summary>The most bytes that one upload may have. Default: 10 GiB.</summary>
    public long MaxUploadSize { get; set; } = 10L << 30;

    /// <summary>
    /// Below how many bytes an upload of the IETF draft is not made resumable: it is taken in one request, and an empty creation is refused.
    /// Clients are told by <c>Upload-Limit</c>. Default: 0.
    /// </summary>
    public long MinUploadSize { get; set; }

    /// <summary>
    /// The most bytes that one request of the IETF draft may have, for a proxy in front that takes no more. Clients are told by
    /// <c>Upload-Limit</c>. Default: null, which means no limit but <see cref="MaxUploadSize"/>.
    /// </summary>
    public long? MaxAppendSize { get; set; }

    /// <summary>
    /// The least bytes that one request of the IETF draft may have, unless it is the last of its upload. Clients are told by
    /// <c>Upload-Limit</c>. Default: 0.
    /// </summary>
    public long MinAppendSize { get; set; }

    /// <summary>The most unfinished uploads that one owner may have. Default: 1,000.</summary>
    public int MaxUploadsPerOwner { get; set; } = 1000;

    /// <summary>The most bytes that the unfinished uploads of one owner may have, stated lengths included. Default: 100 GiB.</summary>
    public long MaxBytesPerOwner { get; set; } = 100L << 30;

    /// <summary>The most requests of one owner that may send bytes at a time. Default: 100.</summary>
    public int MaxAppendsPerOwner { get; set; } = 100;

    /// <summary>How long a request may send nothing before it is ended with its bytes kept. Default: 60 seconds.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The lowest rate in bytes per second at which a request may send; 0 for none. Default: 100.</summary>
    public long MinRate { get; set; } = 100;

    /// <summary>Over what time <see cref="MinRate"/> is measured. Default: 60 seconds.</summary>
    public TimeSpan MinRateWindow { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a request waits for an older one of the same upload to leave. Default: 5 seconds.</summary>
    public TimeSpan TakeoverTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the store may go on after the content of an append was cut off. Default: 10 seconds.</summary>
    public TimeSpan AppendGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an unfinished upload is kept after its last byte. Default: 7 days.</summary>
    public TimeSpan Expiration { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long an upload may stay unfinished at all. Default: 30 days.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How long a finished upload stays in the store, with its content where nobody has moved it. Default: 7 days. Without
    /// <see cref="OnCompleted"/> it is kept for ever, because nobody else has the file.
    /// </summary>
    public TimeSpan CompletedRetention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How often the handler is tried for one upload before it is parked. Default: 5.</summary>
    public int HandlerAttempts { get; set; } = 5;

    /// <summary>After what time without a sign of life another process may run the handler. Default: 60 seconds.</summary>
    public TimeSpan HandlerLease { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a repeated last request waits for a handler that is still running. Default: 30 seconds.</summary>
    public TimeSpan CompletionWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The longest body of an endpoint's answer that is stored, to be given again to a client that lost it. Of a longer one the status and
    /// the headers are kept. At most 512 KiB. Default: 64 KiB.
    /// </summary>
    public long MaxStoredAnswerSize { get; set; } = 64L << 10;

    /// <summary>
    /// Names of response headers that are stored with an endpoint's answer, beside those that describe it (<c>Content-*</c>, <c>Location</c>,
    /// <c>ETag</c>, <c>Link</c> and the like). <c>Set-Cookie</c>, authentication and hop-by-hop headers are never stored. Default: empty.
    /// </summary>
    public IList<string> StoredHeaders { get; } = [];

    /// <summary>
    /// Whether clients of the IETF draft are told by interim responses (104) where their upload is and how much of it is durable.
    /// Default: <see cref="InterimResponses.Auto"/>.
    /// </summary>
    public InterimResponses InterimResponses { get; set; }

    /// <summary>
    /// The least time between two calls of <see cref="OnProgress"/>, and between two interim responses, while one request sends. Default: 0.5 seconds.
    /// </summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often expired uploads are cleared. Default: 5 minutes.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Who owns the uploads of clients that are not signed in. Default: <see cref="AnonymousOwner.PerBrowser"/>.</summary>
    public AnonymousOwner AnonymousOwner { get; set; } = AnonymousOwner.PerBrowser;

    /// <summary>What happens when a finished file is sent again. Default: <see cref="OnRepeat.Replay"/>.</summary>
    public OnRepeat OnRepeat { get; set; } = OnRepeat.Replay;

    /// <summary>Whether start byte 0 with a body throws away what is there, instead of a 409. Default: false.</summary>
    public bool RestartOnZero { get; set; }

    /// <summary>
    /// Whether a body that arrived whole finishes an upload whose size the client never stated. Default: true. Turn it off for clients
    /// that send pieces and never a size.
    /// </summary>
    public bool WholeBodyCompletes { get; set; } = true;

    /// <summary>
    /// Whether a <c>GET</c> on the URL of a finished upload gives its content to its owner, as an attachment, with ranges. Only for protocols in
    /// which an upload has a URL (tus). Content that was moved away is not there any more. Default: false.
    /// </summary>
    public bool AllowDownload { get; set; }

    /// <summary>Who owns the uploads of a request: any text that tells owners apart, or null for an anonymous one. Default: the signed-in user.</summary>
    public Func<HttpContext, string?>? Owner { get; set; }

    /// <summary>
    /// What the file id of a request is unique in, beside its owner. Default: path base and upload path, so that the same file sent to
    /// two URLs is two uploads.
    /// </summary>
    public Func<HttpContext, string>? Scope { get; set; }

    /// <summary>
    /// Called before an upload is made. It may refuse, and it may choose the file name. The token fires <see cref="AppendGrace"/> after the
    /// client has left, so that what it has sent by then is kept.
    /// </summary>
    public Func<UploadCreating, CancellationToken, Task>? OnCreating { get; set; }

    /// <summary>Called while bytes become durable: in order, one call at a time, never after <see cref="OnCompleted"/>.</summary>
    public Func<UploadProgress, CancellationToken, Task>? OnProgress { get; set; }

    /// <summary>
    /// Called when all bytes of an upload are durable, and again if it throws or the process dies before its outcome is stored. The token
    /// fires when the server stops, and not when the client leaves.
    /// </summary>
    public Func<CompletedUpload, CancellationToken, Task>? OnCompleted { get; set; }

    /// <summary>
    /// Called when an upload whose bytes are all there was given up: its handler failed as often as it may, or nobody came back for its
    /// answer until it expired. The content can still be read and moved away. It is called again where the process dies in it.
    /// </summary>
    public Func<UploadParked, CancellationToken, Task>? OnParked { get; set; }

    /// <summary>Called after an upload has expired and was removed.</summary>
    public Func<UploadExpired, CancellationToken, Task>? OnExpired { get; set; }

    /// <summary>Keeps uploads in memory: for tests and for small things that may be lost with the process.</summary>
    /// <param name="maxTotalSize">The most bytes that all uploads have together. Default: 256 MiB.</param>
    public void UseMemoryStore(long maxTotalSize = 256L << 20) => Store = new MemoryUploadStore(maxTotalSize);
}

/// <summary>Who owns the uploads of clients that are not signed in.</summary>
public enum AnonymousOwner
{
    /// <summary>
    /// Every browser is an owner of its own, by a random cookie. Clients that keep no cookies (curl, devices, pages of other sites) share
    /// one owner.
    /// </summary>
    PerBrowser = 0,

    /// <summary>All share one owner: who knows a file id can continue, complete or delete that upload.</summary>
    Shared = 1,

    /// <summary>They are refused with 401.</summary>
    Refuse = 2,
}

/// <summary>When interim responses (104) are sent: never but to a client that says it knows them, and where the server can.</summary>
public enum InterimResponses
{
    /// <summary>
    /// Unless the request came through a proxy that says so by <c>Via</c>, <c>Forwarded</c>, <c>X-Real-IP</c> or <c>X-Forwarded-*</c>. Some proxies (nginx
    /// among them) take a 104 for the answer.
    /// </summary>
    Auto = 0,

    /// <summary>Also through proxies: for those that pass 104 on, such as Envoy and Caddy.</summary>
    Always = 1,

    /// <summary>Not at all.</summary>
    Never = 2,
}

/// <summary>What happens when a finished file is sent again.</summary>
public enum OnRepeat
{
    /// <summary>The stored answer is given again; nothing runs twice.</summary>
    Replay = 0,

    /// <summary>The status says 0 again, and sending the file from its first byte is a new upload.</summary>
    StartAgain = 1,
}
