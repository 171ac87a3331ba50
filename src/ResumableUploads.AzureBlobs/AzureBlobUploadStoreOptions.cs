using ResumableUploads.AzureBlobs.Appending;

namespace ResumableUploads.AzureBlobs;

/// <summary>Options for <see cref="AzureBlobUploadStore"/>.</summary>
public sealed class AzureBlobUploadStoreOptions
{
    internal const int MaxPrefixLength = 500;
    internal static readonly TimeSpan MinLeaseDuration = TimeSpan.FromSeconds(15);
    internal static readonly TimeSpan MaxLeaseDuration = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets or sets the text with which the names of all blobs of the store start, such as <c>uploads/</c>. Nothing else may use names with this prefix. At most 500
    /// characters. The default is <c>resumable-uploads/</c>.
    /// </summary>
    public string Prefix { get; set; } = "resumable-uploads/";

    /// <summary>
    /// Gets or sets a value that indicates whether the startup check creates the container if it does not exist. The default is <see langword="false"/>.
    /// </summary>
    public bool CreateContainer { get; set; }

    /// <summary>
    /// Gets or sets the minimum size, in bytes, of a full block. An append waits for a full block, or for <see cref="SyncInterval"/>. Blocks of very long uploads are larger, because
    /// a blob has at most 50,000. Between 65,536 (64 KiB) and 104,857,600 (100 MiB). The default is 4,194,304 (4 MiB).
    /// </summary>
    public int BlockSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the time after which an append makes the bytes durable that have arrived, although the block is not full. Must be greater than zero. The default is
    /// 5 seconds.
    /// </summary>
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the duration of the lease of a running append, which is renewed three times per duration. If a server dies, updates of its uploads are rejected for at most this time;
    /// appends are not, because the server that continues an upload breaks the lease. Between 15 and 60 seconds. The default is 60 seconds.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets or sets the maximum memory, in bytes, of blocks that are not full yet or are being sent. If it is used up, appends send smaller blocks. At least 1,048,576 (1 MiB). Each running
    /// append may use 64 KiB more. The default is 268,435,456 (256 MiB).
    /// </summary>
    public long MaxBufferMemory { get; set; } = 256L * 1024 * 1024;

    /// <exception cref="ArgumentException">An option is out of range.</exception>
    internal void Validate()
    {
        if (Prefix is null || Prefix.Length > MaxPrefixLength || Prefix.StartsWith('/') || Prefix.Contains("//", StringComparison.Ordinal)
            || Prefix.Any(static c => !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')))
        {
            throw new ArgumentException(
                "AzureBlobUploadStoreOptions.Prefix must have at most 500 ASCII letters, digits, '-', '_', '.' and '/', and no empty part between slashes.", "options");
        }

        if (BlockSize is < BlockSizes.MinSize or > BlockSizes.MaxSize)
        {
            throw new ArgumentException("AzureBlobUploadStoreOptions.BlockSize must be between 65,536 and 104,857,600 bytes.", "options");
        }

        if (SyncInterval <= TimeSpan.Zero || SyncInterval > TimeSpan.FromDays(1))
        {
            throw new ArgumentException("AzureBlobUploadStoreOptions.SyncInterval must be greater than zero and at most one day.", "options");
        }

        if (LeaseDuration < MinLeaseDuration || LeaseDuration > MaxLeaseDuration)
        {
            throw new ArgumentException("AzureBlobUploadStoreOptions.LeaseDuration must be between 15 and 60 seconds.", "options");
        }

        if (MaxBufferMemory < 1024 * 1024)
        {
            throw new ArgumentException("AzureBlobUploadStoreOptions.MaxBufferMemory must be at least 1,048,576 bytes.", "options");
        }
    }
}
