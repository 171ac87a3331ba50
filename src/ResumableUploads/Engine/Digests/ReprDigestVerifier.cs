using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Digests;

/// <summary>The digest of a whole content when all of it is there: the one that was announced, and the one that is wanted.</summary>
internal sealed class ReprDigestVerifier(IUploadStore store)
{
    /// <summary>What is known then, or null where the content is not what was announced.</summary>
    /// <param name="command">The append that brought the last byte.</param>
    /// <param name="record">What the record says.</param>
    /// <param name="content">All of the bytes, or null where the store has them.</param>
    public async ValueTask<EngineRecord?> VerifyAsync(AppendCommand command, EngineRecord record, ReadOnlySequence<byte>? content = null)
    {
        Digest? announced = command.ReprDigest ?? (record.ReprDigest is { } text ? Digest.Parse(text) : null);
        bool isVerified = command.IsStaged && command.ReprDigest is not null;
        if (announced is not null && !isVerified && !announced.Matches((await ComputeAsync(command.Key, content, announced.Algorithm)).Value.Span))
        {
            return null;
        }

        record = record with { ReprDigest = announced?.ToString() };
        DigestAlgorithm? wanted = command.RequestedDigestAlgorithm ?? DigestAlgorithm.All.FirstOrDefault(algorithm => algorithm.Name == record.RequestedDigestAlgorithm);
        return wanted is null ? record : record with
        {
            RequestedDigestAlgorithm = wanted.Name,
            ComputedReprDigest = (announced?.Algorithm == wanted ? announced : await ComputeAsync(command.Key, content, wanted)).ToString(),
        };
    }

    private async ValueTask<Digest> ComputeAsync(UploadKey key, ReadOnlySequence<byte>? content, DigestAlgorithm algorithm)
    {
        using IIncrementalHash hash = algorithm.CreateHash();
        if (content is { } bytes)
        {
            foreach (ReadOnlyMemory<byte> segment in bytes)
            {
                hash.Append(segment.Span);
            }
        }
        else if (await store.OpenReadAsync(key, CancellationToken.None) is { } stored)
        {
            await using (stored)
            {
                await hash.AppendAsync(stored, CancellationToken.None);
            }
        }

        return new Digest(algorithm, hash.GetCurrentHash());
    }
}
