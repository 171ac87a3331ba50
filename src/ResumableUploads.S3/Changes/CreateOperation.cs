using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.Appending;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Changes;

/// <summary>Creates uploads.</summary>
internal sealed class CreateOperation(StoreContext context)
{
    private const int MaxAttempts = 10;
    private const int MaxDelayedAttempt = 4;

    public async Task<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        await context.Clock.EnsureReadAsync(cancellationToken);
        StoredState? created = await ClaimKeyAsync(key, UploadDocument.Create(key, record, context.Clock.GetChangeTime()), cancellationToken);
        return created is null ? new CreateResult(CreateStatus.AlreadyExists, null) : new CreateResult(CreateStatus.Created, created.Document.ToInfo(key));
    }

    /// <summary>Creates an upload with its content. Before the content, a state is written that is not visible yet: without it, the clean-up would take the content for an orphan.</summary>
    public async Task<CreateResult> CreateCompletedAsync(UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken)
    {
        await context.Clock.EnsureReadAsync(cancellationToken);
        UploadDocument document = UploadDocument.Create(key, record, context.Clock.GetChangeTime());
        if (content.IsEmpty)
        {
            StoredState? empty = await ClaimKeyAsync(key, document, cancellationToken);
            return empty is null ? new CreateResult(CreateStatus.AlreadyExists, null) : new CreateResult(CreateStatus.Created, empty.Document.ToInfo(key));
        }

        StoredState? claimed = await ClaimKeyAsync(key, document.WithEpoch(hasWriter: true) with { Phase = UploadPhase.Creating }, cancellationToken);
        if (claimed is null)
        {
            return new CreateResult(CreateStatus.AlreadyExists, null);
        }

        using var body = new ReadOnlySequenceStream(content);
        await context.Storage.PutAsync(context.Keys.GetObject(document.Folder, SegmentRun.GetName(claimed.Document.Epoch, 0)), body, cancellationToken);
        DateTimeOffset now = context.Clock.GetChangeTime();
        UploadDocument completed = claimed.Document.WithSegments([new SegmentRun(claimed.Document.Epoch, 0, 1, content.Length)], 0, now)
            with { Phase = UploadPhase.Live, HasWriter = false };
        StateWrite write = await context.States.WriteAsync(claimed, completed, cancellationToken);
        return write.IsWritten
            ? new CreateResult(CreateStatus.Created, write.State!.Document.ToInfo(key))
            : new CreateResult(CreateStatus.AlreadyExists, null);
    }

    /// <summary>Writes the first state of a key, unless an upload with the key exists. A state that is not visible is replaced.</summary>
    private async Task<StoredState?> ClaimKeyAsync(UploadKey key, UploadDocument document, CancellationToken cancellationToken)
    {
        StateWrite write = await context.States.CreateAsync(key, document, cancellationToken);
        for (int attempt = 1; !write.IsWritten; attempt++)
        {
            if (attempt == MaxAttempts)
            {
                throw new UploadStoreException(StoreFailure.Unavailable, $"The state of upload '{key}' kept changing while it was created; gave up after {MaxAttempts} attempts.");
            }

            if (write.State is { Document.Phase: UploadPhase.Live })
            {
                return null;
            }

            if (write.State is { Document.Phase: UploadPhase.Removing } removing && !context.Writers.IsDead(removing))
            {
                await context.Storage.DelayAsync(Math.Min(attempt, MaxDelayedAttempt), cancellationToken);
                write = await context.States.CreateAsync(key, document, cancellationToken);
                continue;
            }

            write = write.State is null
                ? await context.States.CreateAsync(key, document, cancellationToken)
                : await context.States.WriteAsync(write.State, document, cancellationToken);
        }

        return write.State;
    }
}
