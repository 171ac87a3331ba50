using Microsoft.Extensions.Logging;
using ResumableUploads.S3.Appending;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3;

/// <summary>The parts of one store.</summary>
internal sealed class StoreContext(S3UploadStoreOptions options, ObjectStorage storage, TimeProvider time, ILogger logger)
{
    public S3UploadStoreOptions Options => options;

    public ObjectStorage Storage => storage;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    public ObjectKeys Keys { get; } = new(options.KeyPrefix);

    public ServiceClock Clock { get; } = new(storage, new ObjectKeys(options.KeyPrefix), time);

    public BufferBudget Budget { get; } = new(options.MaxBufferedBytes);

    public WriterWatch Writers { get; } = new(options.WriterTimeout, time);

    public StateStorage States { get; } = new(storage, new ObjectKeys(options.KeyPrefix));
}
