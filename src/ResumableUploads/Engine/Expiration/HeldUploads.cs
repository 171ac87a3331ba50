using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Expiration;

/// <summary>The number and the size of the uploads that a sweep has found, including those that it has removed.</summary>
internal readonly record struct HeldUploads
{
    public UploadCount Receiving { get; private init; }

    /// <summary>Gets the received uploads that are not dead-lettered.</summary>
    public UploadCount Received { get; private init; }

    public UploadCount Completed { get; private init; }

    public UploadCount DeadLettered { get; private init; }

    /// <summary>Gets the number of stored bytes.</summary>
    public long Bytes => Receiving.Bytes + Received.Bytes + Completed.Bytes + DeadLettered.Bytes;

    /// <summary>Returns the sum with another upload.</summary>
    public HeldUploads Add(UploadInfo info, bool isDeadLettered) => (isDeadLettered, info.State) switch
    {
        (true, _) => this with { DeadLettered = DeadLettered.Add(info) },
        (_, UploadState.Receiving) => this with { Receiving = Receiving.Add(info) },
        (_, UploadState.Received) => this with { Received = Received.Add(info) },
        _ => this with { Completed = Completed.Add(info) },
    };
}

/// <summary>The number of uploads in one state, and of their bytes.</summary>
/// <param name="Uploads">The number of uploads.</param>
/// <param name="Bytes">The number of stored bytes. Those of completed uploads count as long as the record says that the store has them.</param>
internal readonly record struct UploadCount(long Uploads, long Bytes)
{
    /// <summary>Returns the sum with another upload.</summary>
    public UploadCount Add(UploadInfo info) =>
        new(Uploads + 1, Bytes + (info.State != UploadState.Completed || EngineRecord.HasStoredContent(info) ? info.Offset : 0));
}
