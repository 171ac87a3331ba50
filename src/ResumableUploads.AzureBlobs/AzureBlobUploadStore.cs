using System.Buffers;
using System.Runtime.CompilerServices;
using Azure.Core;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Appending;
using ResumableUploads.AzureBlobs.Blobs;
using ResumableUploads.AzureBlobs.Content;
using ResumableUploads.AzureBlobs.Maintenance;
using CopyStatus = ResumableUploads.Abstractions.CopyStatus;

namespace ResumableUploads.AzureBlobs;

/// <summary>Keeps uploads in a container of Azure Blob Storage: each in an append blob. Any number of servers can share a container.</summary>
/// <remarks>
/// The service decides who may write: an append names the offset at which it must start and the lease that it holds, and every change of a record is conditional on the version of the
/// blob. No clock of a server decides anything.
/// </remarks>
public sealed class AzureBlobUploadStore : IUploadStore, ISingleRequestStore, IStagedAppendStore, IReplacingStore, ITakeoverStore, IStoreStartupCheck, ISelfCleaningStore,
    ISweepCheckpointStore, IContentCopier, IContentUrlProvider, IStoreClock, IStoreProbe
{
    private const int MaxResponseLength = 1024 * 1024;
    private const int MaxAttempts = 10;

    private readonly StoreContext _context;
    private readonly UploadBlobs _blobs;
    private readonly RecordWriter _records;
    private readonly UploadLister _lister;
    private readonly ContentCopy _copy;
    private readonly ReadUrls _urls;
    private readonly ServiceClock _clock;
    private readonly UploadReplacement _replacement;

    /// <summary>Initializes a new instance of the <see cref="AzureBlobUploadStore"/> class.</summary>
    /// <param name="container">
    /// The container. Its client should have the options that <see cref="CreateClientOptions"/> returns, which do not retry requests that append blocks. Such retries do no
    /// harm, but a lost response takes longer.
    /// </param>
    /// <param name="options">The options, or <see langword="null"/> for the defaults.</param>
    /// <param name="timeProvider">The clock for delays, and for the lifetime of URLs, or <see langword="null"/> for the system clock.</param>
    /// <exception cref="ArgumentNullException"><paramref name="container"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public AzureBlobUploadStore(BlobContainerClient container, AzureBlobUploadStoreOptions? options = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(container);
        options ??= new AzureBlobUploadStoreOptions();
        options.Validate();
        TimeProvider time = timeProvider ?? TimeProvider.System;
        _blobs = new UploadBlobs(container, new BlobNames(options.Prefix), new RecentUploads());
        _context = new StoreContext(_blobs, options, time);
        _records = new RecordWriter(_blobs);
        _lister = new UploadLister(_blobs);
        _urls = new ReadUrls(_blobs, time);
        _copy = new ContentCopy(_blobs, _urls);
        _clock = new ServiceClock(_blobs, time);
        _replacement = new UploadReplacement(_blobs);
    }

    /// <inheritdoc/>
    public long MaxCompletedLength => 256 * 1024;

    /// <inheritdoc/>
    public long MaxStagedLength => StagedContent.MaxLength;

    internal StoreContext Context => _context;

    /// <summary>Creates options for clients of the service that retry all requests but those that append a block or delete a blob, which the store repeats after it has read the blob.</summary>
    /// <returns>The options.</returns>
    public static BlobClientOptions CreateClientOptions() => new() { RetryPolicy = new UploadRetryPolicy() };

    /// <summary>Creates a client of a container from a connection string.</summary>
    internal static BlobContainerClient CreateClient(string connectionString, string containerName) => new(connectionString, containerName, CreateClientOptions());

    /// <summary>Creates a client of a container from its URL and a credential.</summary>
    internal static BlobContainerClient CreateClient(Uri containerUri, TokenCredential credential) => new(containerUri, credential, CreateClientOptions());

    /// <inheritdoc/>
    public async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        CheckRecord(record);
        if (record.State != UploadState.Receiving)
        {
            throw new ArgumentException("A new upload must be in state Receiving.", nameof(record));
        }

        cancellationToken.ThrowIfCancellationRequested();
        BlobRecord created = await _records.CreateAsync(key, record, offset: 0, cancellationToken);
        return await FinishCreationAsync(record, created, await _blobs.CreateAsync(
            key,
            created,
            async (metadata, conditions) => await _blobs.GetAppendBlob(key).CreateAsync(
                new AppendBlobCreateOptions { Metadata = metadata, Conditions = (AppendBlobRequestConditions)conditions }, cancellationToken),
            length: 0,
            cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask<CreateResult> CreateCompletedAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken)
    {
        CheckRecord(record);
        if (record.State == UploadState.Receiving)
        {
            throw new ArgumentException("An upload with all of its bytes must not be in state Receiving.", nameof(record));
        }

        if (content.Length > MaxCompletedLength)
        {
            throw new ArgumentException($"The content must have at most {MaxCompletedLength} bytes.", nameof(content));
        }

        cancellationToken.ThrowIfCancellationRequested();
        BlobRecord created = await _records.CreateAsync(key, record, content.Length, cancellationToken);
        return await FinishCreationAsync(record, created, await _blobs.CreateAsync(
            key,
            created,
            async (metadata, conditions) =>
            {
                using var body = new MemoryStream(content.ToArray(), writable: false);
                BlobUploadOptions options = SideBlobs.SinglePut(content.Length);
                options.Metadata = metadata;
                options.Conditions = new BlobRequestConditions { IfNoneMatch = conditions.IfNoneMatch };
                return await _blobs.Container.GetBlockBlobClient(_blobs.Names.Upload(key)).UploadAsync(body, options, cancellationToken);
            },
            content.Length,
            cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        (await ReadAsync(key, cancellationToken))?.ToInfo();

    /// <inheritdoc/>
    public async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        return await new AppendOperation(_context, _records, key, offset, content).RunAsync(mode, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        ChangeRecordAsync(key, version, record, response: null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.State != UploadState.Completed)
        {
            throw new ArgumentException("A record with a response must be in state Completed.", nameof(record));
        }

        if (response.Length > MaxResponseLength)
        {
            throw new ArgumentException("The response must have at most 1 MiB.", nameof(response));
        }

        return ChangeRecordAsync(key, version, record, response, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await BlobContentStream.OpenAsync(_blobs, key, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new UploadDeletion(_blobs, key, version).RunAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return _lister.ListAsync(query, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        for (int i = 0; i < MaxAttempts; i++)
        {
            if (await _blobs.ReadWithoutDataAsync(key, cancellationToken) is not { State: UploadState.Completed, Record.Response: { } part })
            {
                return null;
            }

            if (await _blobs.Sides.LoadAsync(part, cancellationToken) is { } response)
            {
                return response;
            }
        }

        throw new UploadStoreException(StoreFailure.Corrupt, $"The response of upload {key} is missing.");
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> ReplaceAsync(
        UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(replacementVersion);
        if (key == replacementKey)
        {
            throw new ArgumentException("An upload cannot replace itself.", nameof(replacementKey));
        }

        cancellationToken.ThrowIfCancellationRequested();
        return _replacement.RunAsync(key, version, replacementKey, replacementVersion, cancellationToken);
    }

    /// <summary>Returns at once: a server that continues an upload needs no help of the one that appends to it.</summary>
    /// <param name="cancellationToken">The token that is canceled when the server stops.</param>
    /// <returns>A completed task.</returns>
    public Task ListenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // The service breaks a lease again that is broken already.
        return !_context.Running.Contains(key)
            && await _blobs.ReadWithoutDataAsync(key, cancellationToken) is { IsLeased: true } blob
            && await _blobs.BreakLeaseAsync(blob.BlobKey, cancellationToken)
                ? TakeoverStatus.Released
                : TakeoverStatus.NotAppending;
    }

    /// <inheritdoc/>
    public ValueTask CheckAsync(CancellationToken cancellationToken) => new StartupCheck(_context).RunAsync(cancellationToken);

    /// <summary>Writes a blob of one byte and deletes it: two requests.</summary>
    /// <inheritdoc cref="IStoreProbe.ProbeAsync"/>
    public ValueTask ProbeAsync(CancellationToken cancellationToken) => new HealthProbe(_blobs).RunAsync(cancellationToken);

    /// <summary>Returns <see langword="null"/>: a container has no fixed size.</summary>
    /// <inheritdoc cref="IStoreProbe.GetFreeSpaceAsync"/>
    public ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken) => ValueTask.FromResult<long?>(null);

    /// <inheritdoc/>
    public ValueTask CleanUpAsync(CancellationToken cancellationToken) => new SideBlobCleanup(_blobs).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken) => new SweepCheckpoint(_blobs).ReadAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken) =>
        new SweepCheckpoint(_blobs).WriteAsync(checkpoint, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset> GetUtcNowAsync(CancellationToken cancellationToken) => _clock.ReadAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CopyStatus> CopyContentAsync(
        UploadKey key, string version, string container, string name, bool overwrite, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(container);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return _copy.RunAsync(key, version, new CopyTarget(container, name, overwrite), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<Uri?> CreateReadUrlAsync(UploadKey key, string version, TimeSpan lifetime, CancellationToken cancellationToken) =>
        _urls.CreateAsync(key, version, lifetime, cancellationToken);

    private async ValueTask<UpdateResult> ChangeRecordAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte>? response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        CheckRecord(record);
        cancellationToken.ThrowIfCancellationRequested();
        UploadBlob? blob = _context.Recent.Find(key, version) is { } recent && recent.State <= record.State ? recent : await ReadAsync(key, cancellationToken);
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (UploadDeletion.Refuse(blob, version) is { } status)
            {
                return new UpdateResult(status, null);
            }

            if (record.State < blob!.State)
            {
                throw new ArgumentException($"The state cannot change from {blob.State} to {record.State}.", nameof(record));
            }

            WriteResult result = await _records.WriteAsync(blob, record, response, leaseId: null, cancellationToken);
            if (result.IsWritten)
            {
                return new UpdateResult(ChangeStatus.Succeeded, result.Blob!.ToInfo());
            }

            blob = result.Blob;
        }

        return new UpdateResult(ChangeStatus.Busy, null);
    }

    private async ValueTask<CreateResult> FinishCreationAsync(UploadRecord record, BlobRecord created, UploadBlob? blob)
    {
        if (blob is null)
        {
            await _blobs.Sides.DeleteUnusedAsync(created);
            return new CreateResult(CreateStatus.AlreadyExists, null);
        }

        blob = blob with { Data = record.Data.ToArray() };
        _context.Recent.Remember(blob);
        return new CreateResult(CreateStatus.Created, blob.ToInfo());
    }

    private ValueTask<UploadBlob?> ReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _blobs.ReadAsync(key, cancellationToken);
    }

    private static void CheckRecord(UploadRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Data.Length > UploadRecord.MaxDataLength)
        {
            throw new ArgumentException($"The data must have at most {UploadRecord.MaxDataLength} bytes.", nameof(record));
        }
    }
}
