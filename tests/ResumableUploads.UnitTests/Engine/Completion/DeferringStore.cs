using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>A store that records its changes, and whether a power loss would revert the last one.</summary>
internal sealed class DeferringStore(TimeProvider time) : DelegatingUploadStore(new MemoryUploadStore(timeProvider: time)), IDeferredSyncStore, ISingleRequestStore
{
    private readonly Lock _lock = new();
    private readonly List<string> _changes = [];
    private bool _isUnsynced;

    public long MaxCompletedLength => 1000;

    /// <summary>Gets the view that another process has of the store.</summary>
    public IUploadStore Other => InnerStore;

    /// <summary>Gets the names of the methods that changed the upload, in order.</summary>
    public string[] Changes
    {
        get
        {
            lock (_lock)
            {
                return [.. _changes];
            }
        }
    }

    /// <summary>Gets whether the upload has changed since the last durable change or read.</summary>
    public bool IsUnsynced
    {
        get
        {
            lock (_lock)
            {
                return _isUnsynced;
            }
        }
    }

    /// <summary>Gets or sets whether storing a response fails.</summary>
    public bool FailsToComplete { get; set; }

    public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        CreateResult result = await base.CreateAsync(key, record, cancellationToken);
        Add("Create", isUnsynced: false);
        return result;
    }

    public ValueTask<CreateResult> CreateCompletedAsync(UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
        CreateCompletedAsync(key, record, content, isDeferred: false);

    public ValueTask<CreateResult> CreateCompletedDeferredAsync(UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
        CreateCompletedAsync(key, record, content, isDeferred: true);

    public override async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
    {
        UploadInfo? info = await base.GetAsync(key, cancellationToken);
        lock (_lock)
        {
            _isUnsynced = false;
        }

        return info;
    }

    public ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken) => base.GetAsync(key, cancellationToken);

    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        Add("Update", await base.UpdateAsync(key, version, record, cancellationToken), isUnsynced: false);

    public async ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        Add("UpdateDeferred", await base.UpdateAsync(key, version, record, cancellationToken), isUnsynced: true);

    public override async ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        FailsToComplete
            ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.")
            : Add("Complete", await base.CompleteAsync(key, version, record, response, cancellationToken), isUnsynced: false);

    private async ValueTask<CreateResult> CreateCompletedAsync(UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, bool isDeferred)
    {
        CreateResult created = await base.CreateAsync(key, record with { State = UploadState.Receiving }, CancellationToken.None);
        AppendResult appended = await base.AppendAsync(key, 0, RecordingContent.FromBytes(content.ToArray()), AppendMode.KeepPartial, CancellationToken.None);
        UpdateResult updated = await base.UpdateAsync(key, appended.Version!, record, CancellationToken.None);
        Add(isDeferred ? "CreateCompletedDeferred" : "CreateCompleted", isDeferred);
        return created with { Info = updated.Info };
    }

    private UpdateResult Add(string change, UpdateResult result, bool isUnsynced)
    {
        if (result.Status == ChangeStatus.Succeeded)
        {
            Add(change, isUnsynced);
        }

        return result;
    }

    private void Add(string change, bool isUnsynced)
    {
        lock (_lock)
        {
            _changes.Add(change);
            _isUnsynced = isUnsynced;
        }
    }
}
