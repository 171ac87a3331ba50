using System.Buffers;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.Maintenance;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3;

/// <content>What the store can do beyond <see cref="IUploadStore"/>.</content>
public sealed partial class S3UploadStore : IStagedAppendStore, ISingleRequestStore, IReplacingStore, ITakeoverStore, IStoreStartupCheck, ISelfCleaningStore,
    ISweepCheckpointStore, IStoreClock, IStoreProbe, IContentCopier, IContentUrlProvider
{
    private static readonly TimeSpan MaxUrlLifetime = TimeSpan.FromDays(7);

    /// <inheritdoc/>
    public long MaxStagedLength => long.MaxValue;

    /// <inheritdoc/>
    public long MaxCompletedLength => _context.Options.SegmentSize;

    /// <inheritdoc/>
    public async ValueTask<CreateResult> CreateCompletedAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken)
    {
        Validate(record);
        if (record.State == UploadState.Receiving)
        {
            throw new ArgumentException("An upload that is created with its content must not be in state Receiving.", nameof(record));
        }

        if (content.Length > MaxCompletedLength)
        {
            throw new ArgumentException($"The content must not be longer than {MaxCompletedLength} bytes.", nameof(content));
        }

        return await _create.CreateCompletedAsync(key, record, content, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<UpdateResult> ReplaceAsync(
        UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(replacementVersion);
        if (key == replacementKey)
        {
            throw new ArgumentException("An upload cannot replace itself.", nameof(replacementKey));
        }

        return await _replace.ReplaceAsync(key, version, replacementKey, replacementVersion, cancellationToken);
    }

    /// <summary>Returns immediately: a takeover does not ask the process that appends.</summary>
    /// <param name="cancellationToken">The token that is canceled when the server stops.</param>
    /// <returns>A completed task.</returns>
    public Task ListenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Raises the epoch of the upload, so that a running append can no longer change it. It ends with <see cref="AppendStatus.TakenOver"/>.</summary>
    /// <inheritdoc cref="ITakeoverStore.TakeOverAsync"/>
    public async ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxClaimAttempts; attempt++)
        {
            if (await _reader.FindAsync(key, cancellationToken) is not { } state)
            {
                return TakeoverStatus.NotAppending;
            }

            if (state.Document.Move is not null)
            {
                return TakeoverStatus.StillAppending;
            }

            if (!state.Document.HasWriter)
            {
                return TakeoverStatus.NotAppending;
            }

            if ((await _context.States.WriteAsync(state, state.Document.WithEpoch(hasWriter: false), cancellationToken)).IsWritten)
            {
                return TakeoverStatus.Released;
            }
        }

        return TakeoverStatus.StillAppending;
    }

    /// <inheritdoc/>
    public async ValueTask CheckAsync(CancellationToken cancellationToken) => await new StartupProbe(_context).RunAsync(cancellationToken);

    /// <summary>Writes an object of one byte and deletes it: two requests.</summary>
    /// <inheritdoc cref="IStoreProbe.ProbeAsync"/>
    public async ValueTask ProbeAsync(CancellationToken cancellationToken)
    {
        using var content = new MemoryStream([0], writable: false);
        await _context.Storage.PutAsync(_context.Keys.HealthProbe, content, cancellationToken);
        await _context.Storage.DeleteAsync([_context.Keys.HealthProbe], cancellationToken);
    }

    /// <summary>Returns <see langword="null"/>: a bucket has no fixed size.</summary>
    /// <inheritdoc cref="IStoreProbe.GetFreeSpaceAsync"/>
    public ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken) => ValueTask.FromResult<long?>(null);

    /// <inheritdoc/>
    public async ValueTask CleanUpAsync(CancellationToken cancellationToken) => await _cleaner.CleanUpAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken) =>
        await _context.Storage.FindAsync(_context.Keys.SweepCheckpoint, cancellationToken) is { } found ? ObjectKeys.Parse(Encoding.ASCII.GetString(found.Bytes)) : null;

    /// <inheritdoc/>
    public async ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken)
    {
        if (checkpoint is not { } key)
        {
            await _context.Storage.DeleteAsync([_context.Keys.SweepCheckpoint], cancellationToken);
            return;
        }

        using var content = new MemoryStream(Encoding.ASCII.GetBytes(key.ToString()), writable: false);
        await _context.Storage.PutAsync(_context.Keys.SweepCheckpoint, content, cancellationToken);
    }

    /// <summary>Returns the time of the service, from the <c>Date</c> header of a response. A client that shows no headers makes it the time of this machine.</summary>
    /// <inheritdoc cref="IStoreClock.GetUtcNowAsync"/>
    public ValueTask<DateTimeOffset> GetUtcNowAsync(CancellationToken cancellationToken) => _context.Clock.ReadAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<CopyStatus> CopyContentAsync(
        UploadKey key, string version, string container, string name, bool overwrite, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentException.ThrowIfNullOrEmpty(container);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (await _reader.FindAsync(key, cancellationToken) is not { } state)
        {
            return CopyStatus.NotFound;
        }

        if (state.Document.Version != version)
        {
            return CopyStatus.VersionMismatch;
        }

        if (state.Document.State == UploadState.Receiving)
        {
            return CopyStatus.Busy;
        }

        return await _composer.CopyAsync(state.Document, container, name, overwrite, cancellationToken) ? CopyStatus.Copied : CopyStatus.TargetExists;
    }

    /// <inheritdoc/>
    public async ValueTask<Uri?> CreateReadUrlAsync(UploadKey key, string version, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, MaxUrlLifetime);
        if (await _reader.FindAsync(key, cancellationToken) is not { } state || state.Document.Version != version || state.Document.State == UploadState.Receiving)
        {
            return null;
        }

        return await _composer.ComposeAsync(state, cancellationToken) is { } objectKey ? await _context.Storage.CreateUrlAsync(objectKey, lifetime) : null;
    }
}
