using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Reliability;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>Copies the bytes of parts to their concatenation.</summary>
internal sealed class PartCopier(EngineContext context, AppendExecutor executor, ConcatenationParts lifetimes)
{
    private const int BufferSize = 256 * 1024;

    /// <summary>Appends the bytes of the parts from the current offset, which is greater than 0 after a crash.</summary>
    /// <param name="info">The concatenation, whose record has the lengths of the parts.</param>
    /// <param name="parts">The parts, with null for each that is copied. A part that this call has copied is replaced by null.</param>
    /// <param name="uploadLock">The lock of the concatenation.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The last step of the appends, or a step with <see cref="UploadResultKind.PartNotFound"/>.</returns>
    /// <exception cref="UploadStoreException">A part could not be read, or the concatenation was removed.</exception>
    public async ValueTask<AppendStep> CopyAsync(
        UploadInfo info, UploadInfo?[] parts, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        EngineRecord record = EngineRecord.From(info);
        List<long> lengths = record.Concatenation!.PartLengths!;
        long partEnd = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            partEnd += lengths[i];
            long missing = partEnd - info.Offset;
            if (missing <= 0 && i < parts.Length - 1)
            {
                continue;
            }

            await lifetimes.ExtendAsync(parts, info, cancellationToken);
            await using Stream? content = missing > 0 ? await context.Store.OpenReadAsync(parts[i]!.Key, cancellationToken) : null;
            if (missing > 0 && !TrySeek(content, lengths[i] - missing, lengths[i]))
            {
                return new UploadResult(UploadResultKind.PartNotFound);
            }

            var command = new AppendCommand
            {
                Key = info.Key,
                Offset = info.Offset,
                Body = content is null
                    ? PipeReader.Create(ReadOnlySequence<byte>.Empty)
                    : PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: BufferSize)),
                SourceStream = GuardedContentStream.Unwrap(content),
                UploadLength = lengths.Sum(),
                BodyLength = Math.Max(0, missing),
                CompletionRule = CompletionRule.AtLength,
            };
            AppendStep step = await executor.AppendAsync(
                new LockedAppend(command, uploadLock, callbacks), info, record, content: null, cancellationToken);
            if (step is AppendStep.Finished { Result.Kind: UploadResultKind.Interrupted })
            {
                // The store failed to read the part. If it was removed, the next attempt reports that.
                throw new UploadStoreException(StoreFailure.Unavailable, $"A part of upload {info.Key} could not be read.");
            }

            if (step is not AppendStep.Finished { Result.Kind: UploadResultKind.Appended })
            {
                return step;
            }

            parts[i] = null;
            info = await context.Store.GetAsync(info.Key, cancellationToken)
                ?? throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {info.Key} was removed while its parts were concatenated.");
        }

        throw new UploadStoreException(StoreFailure.Corrupt, $"The parts of upload {info.Key} have fewer bytes than their offsets say.", info.Offset);
    }

    /// <summary>Sets the position of a part's content. Returns false if the part was removed meanwhile.</summary>
    private static bool TrySeek(Stream? content, long position, long length)
    {
        if (content is null || content.Length < length)
        {
            return false;
        }

        content.Position = position;
        return true;
    }
}
