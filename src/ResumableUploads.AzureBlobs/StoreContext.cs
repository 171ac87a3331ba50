using ResumableUploads.AzureBlobs.Appending;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs;

/// <summary>What the parts of a store share.</summary>
internal sealed record StoreContext(UploadBlobs Blobs, AzureBlobUploadStoreOptions Options, TimeProvider Time)
{
    public BufferPool Pool { get; } = new(Options.MaxBufferMemory);

    public RunningAppends Running { get; } = new();

    public RecentUploads Recent => Blobs.Recent;
}
