using System.Runtime.CompilerServices;
using Amazon.S3;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.Appending;
using ResumableUploads.S3.Changes;
using ResumableUploads.S3.Content;
using ResumableUploads.S3.Maintenance;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3;

/// <summary>
/// Keeps uploads in S3-compatible object storage. Any number of servers can share it, without sticky sessions and without a lock service: each upload has a small state
/// object, which is changed by conditional writes alone, and its bytes are in segments that count as soon as the state names them.
/// </summary>
public sealed partial class S3UploadStore : IUploadStore, IDisposable
{
    private const int MaxClaimAttempts = 100;
    private const int MaxListRequests = 16;
    private const int MaxResponseLength = 1024 * 1024;

    private readonly AmazonS3Client? _ownClient;
    private readonly StoreContext _context;
    private readonly StateReader _reader;
    private readonly CreateOperation _create;
    private readonly ChangeOperations _changes;
    private readonly ReplaceOperation _replace;
    private readonly ContentComposer _composer;
    private readonly OrphanCleaner _cleaner;

    /// <summary>Initializes a new instance of the <see cref="S3UploadStore"/> class.</summary>
    /// <param name="options">The options. They are read once.</param>
    /// <param name="timeProvider">The clock, or <see langword="null"/> for the system clock.</param>
    /// <param name="logger">The logger, or <see langword="null"/> to log nothing.</param>
    /// <exception cref="ArgumentException">An option is missing or out of range.</exception>
    public S3UploadStore(S3UploadStoreOptions options, TimeProvider? timeProvider = null, ILogger<S3UploadStore>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        timeProvider ??= TimeProvider.System;
        _ownClient = options.Client is null ? ClientFactory.Create(options) : null;
        var storage = new ObjectStorage(options.Client ?? _ownClient!, options.Bucket, timeProvider);
        _context = new StoreContext(options, storage, timeProvider, (ILogger?)logger ?? NullLogger.Instance);
        _reader = new StateReader(_context);
        _create = new CreateOperation(_context);
        _changes = new ChangeOperations(_context, _reader);
        _replace = new ReplaceOperation(_context, _reader, _changes);
        _composer = new ContentComposer(_context);
        _cleaner = new OrphanCleaner(_context, _reader, _changes);
    }

    /// <inheritdoc/>
    public async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        Validate(record);
        if (record.State != UploadState.Receiving)
        {
            throw new ArgumentException("A new upload must be in state Receiving.", nameof(record));
        }

        return await _create.CreateAsync(key, record, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        (await _reader.FindAsync(key, cancellationToken))?.Document.ToInfo(key);

    /// <inheritdoc/>
    public async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentNullException.ThrowIfNull(content);
        for (int attempt = 0; attempt < MaxClaimAttempts; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            StoredState? state = _context.States.FindRecent(key) is { } recent && recent.Document.Offset == offset && recent.Document.State == UploadState.Receiving
                ? recent
                : await _reader.FindAsync(key, cancellationToken);
            if (state is null)
            {
                return new AppendResult(AppendStatus.NotFound, 0, null);
            }

            UploadDocument document = state.Document;
            if (document.State != UploadState.Receiving)
            {
                return new AppendResult(AppendStatus.NotReceiving, document.Offset, document.Version);
            }

            if (await _reader.FindChangeableAsync(state, cancellationToken) is not { } changeable)
            {
                return new AppendResult(AppendStatus.Busy, 0, null);
            }

            if (document.Offset != offset)
            {
                return new AppendResult(AppendStatus.OffsetMismatch, document.Offset, document.Version);
            }

            if (!content.CanAppendTo(document.Record))
            {
                // The remembered record may be older than the one that the caller has read.
                if (_context.States.Forget(key))
                {
                    continue;
                }

                return new AppendResult(AppendStatus.Busy, 0, null);
            }

            StateWrite claim = await _context.States.WriteAsync(changeable, changeable.Document.WithEpoch(hasWriter: true), cancellationToken);
            if (claim.IsWritten)
            {
                return await new AppendOperation(_context, claim.State!, content, mode, cancellationToken).RunAsync();
            }
        }

        return new AppendResult(AppendStatus.Busy, 0, null);
    }

    /// <inheritdoc/>
    public async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        Validate(record);
        return await _changes.UpdateAsync(key, version, record, null, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        Validate(record);
        if (record.State != UploadState.Completed)
        {
            throw new ArgumentException("The record of a completed upload must be in state Completed.", nameof(record));
        }

        if (response.Length > MaxResponseLength)
        {
            throw new ArgumentException("A response must not be larger than 1 MiB.", nameof(response));
        }

        return await _changes.UpdateAsync(key, version, record, response, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        await _changes.GetResponseAsync(key, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        await _reader.FindAsync(key, cancellationToken) is { } state ? new SegmentStream(_context, state) : null;

    /// <inheritdoc/>
    public async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        await _changes.DeleteAsync(key, version, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        cancellationToken.ThrowIfCancellationRequested();
        await foreach (IReadOnlyList<UploadKey> page in _context.States.ListAsync(query.Owner, query.StartAfter, cancellationToken))
        {
            foreach (UploadKey[] keys in page.Chunk(MaxListRequests))
            {
                foreach (UploadInfo? info in await Task.WhenAll(keys.Select(key => FindListedAsync(key, query.IncludeUnreadable, cancellationToken))))
                {
                    if (info is not null && (query.ExpiredAsOf is not { } time || info.Expires <= time))
                    {
                        yield return info;
                    }
                }
            }
        }
    }

    /// <summary>Releases the client that the store has created.</summary>
    public void Dispose()
    {
        _context.Clock.Dispose();
        _ownClient?.Dispose();
        _context.Budget.Dispose();
    }

    private async Task<UploadInfo?> FindListedAsync(UploadKey key, bool includesUnreadable, CancellationToken cancellationToken)
    {
        try
        {
            StoredState? state = await _context.States.FindAsync(key, cancellationToken);
            if (state is not null && (state.Document.Phase != UploadPhase.Live || state.Document.Move is not null))
            {
                _cleaner.AddUnfinished(key);
                state = await _reader.FindAsync(key, cancellationToken);
            }

            return state?.Document.ToInfo(key);
        }
        catch (UploadStoreException e) when (e.Failure == StoreFailure.Corrupt)
        {
            Log.UploadSkipped(_context.Logger, key, e);
            return includesUnreadable ? await _cleaner.MeasureUnreadableAsync(key, cancellationToken) : null;
        }
    }

    private static void Validate(UploadRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Data.Length > UploadRecord.MaxDataLength)
        {
            throw new ArgumentException($"The data of a record must not be longer than {UploadRecord.MaxDataLength} bytes.", nameof(record));
        }
    }
}
