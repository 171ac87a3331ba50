using Amazon.S3;

namespace ResumableUploads.S3;

/// <summary>Options for <see cref="S3UploadStore"/>.</summary>
public sealed class S3UploadStoreOptions
{
    internal const int MinSegmentSize = 64 * 1024;

    /// <summary>Gets or sets the name of the bucket. It must exist. Required; there is no default.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>
    /// Gets or sets the prefix of all object keys of the store. Nothing else may use keys with this prefix. It is empty, or ends with a slash and consists of at most
    /// 200 ASCII letters, digits, hyphens, underscores, dots and slashes. The default is <c>uploads/</c>.
    /// </summary>
    public string KeyPrefix { get; set; } = "uploads/";

    /// <summary>
    /// Gets or sets the client. The store does not dispose it. Set <c>MaxErrorRetry</c> of its configuration to 0: the store retries on its own. The default is
    /// <see langword="null"/>, which creates a client from <see cref="ServiceUrl"/> or <see cref="Region"/> and the credentials that the SDK finds.
    /// </summary>
    public IAmazonS3? Client { get; set; }

    /// <summary>
    /// Gets or sets the URL of a service other than AWS. Buckets are addressed by path. Only used without <see cref="Client"/>. The default is
    /// <see langword="null"/>.
    /// </summary>
    public string? ServiceUrl { get; set; }

    /// <summary>
    /// Gets or sets the name of the region, for example <c>eu-central-1</c>. With <see cref="ServiceUrl"/>, it is only used to sign requests. Only used without
    /// <see cref="Client"/>. The default is <see langword="null"/>, which uses the region that the SDK finds.
    /// </summary>
    public string? Region { get; set; }

    /// <summary>
    /// Gets or sets the size, in bytes, of a segment: the object in which the store keeps a part of the content. Between 65,536 and 1,073,741,824. Segments of at
    /// least 5 MiB are composed within the service; shorter ones pass through the server again. The default is 16,777,216 (16 MiB).
    /// </summary>
    public int SegmentSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the maximum memory, in bytes, for the content that all appends of this store have received and not yet stored. Appends that need more wait. At
    /// least 1,048,576. The default is 268,435,456 (256 MiB).
    /// </summary>
    public long MaxBufferedBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>
    /// Gets or sets the number of bytes that an append stores before it makes them durable with a write of the state. Must be greater than 0. The default is
    /// 67,108,864 (64 MiB).
    /// </summary>
    public long SyncSize { get; set; } = 64L * 1024 * 1024;

    /// <summary>
    /// Gets or sets the time after which an append makes the bytes durable that have arrived, also in a segment that is not full. Must be greater than zero. The
    /// default is 15 seconds.
    /// </summary>
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Gets or sets the time after which an append whose process has not written the state is considered dead, measured by the clock of the observer. It affects
    /// only when an upload stops being busy, never what is stored. At least 100 milliseconds. The default is 1 minute.
    /// </summary>
    public TimeSpan WriterTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Gets or sets the minimum time between two searches for objects that crashes have left. Each search lists all objects. Must not be negative. The default is
    /// 6 hours.
    /// </summary>
    public TimeSpan CleanUpInterval { get; set; } = TimeSpan.FromHours(6);

    /// <exception cref="ArgumentException">An option is missing or out of range.</exception>
    internal void Validate()
    {
        string? message =
            string.IsNullOrWhiteSpace(Bucket) ? "Bucket must be set to the name of a bucket."
            : !IsValidPrefix(KeyPrefix) ? "KeyPrefix must be empty, or end with a slash and have at most 200 of the characters A-Z, a-z, 0-9, '-', '_', '.' and '/', without empty parts, '.' and '..'."
            : !IsValidUrl(ServiceUrl) ? "ServiceUrl must be an absolute http or https URL."
            : SegmentSize is < MinSegmentSize or > 1 << 30 ? "SegmentSize must be between 65,536 and 1,073,741,824."
            : MaxBufferedBytes < 1 << 20 ? "MaxBufferedBytes must be at least 1,048,576."
            : SyncSize <= 0 || SyncInterval <= TimeSpan.Zero ? "SyncSize and SyncInterval must be greater than zero."
            : WriterTimeout < TimeSpan.FromMilliseconds(100) ? "WriterTimeout must be at least 100 milliseconds."
            : CleanUpInterval < TimeSpan.Zero ? "CleanUpInterval must not be negative."
            : null;
        if (message is not null)
        {
            throw new ArgumentException($"{nameof(S3UploadStoreOptions)}.{message}");
        }
    }

    private static bool IsValidUrl(string? url) => url is null || (Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is ("http" or "https"));

    private static bool IsValidPrefix(string? prefix) =>
        prefix is "" || (prefix is { Length: <= 200 } && prefix.EndsWith('/')
            && prefix.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
            && prefix[..^1].Split('/').All(static part => part is not ("" or "." or "..")));
}
