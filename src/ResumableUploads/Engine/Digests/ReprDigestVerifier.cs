using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Digests;

/// <summary>Verifies the announced digest of a complete content and computes the digest that the client requested.</summary>
internal sealed class ReprDigestVerifier(IUploadStore store)
{
    /// <summary>Verifies the announced digest, if any, and computes the requested one.</summary>
    /// <param name="command">The append that completed the content.</param>
    /// <param name="record">The record of the upload.</param>
    /// <param name="content">The whole content, or <see langword="null"/> to read it from the store.</param>
    /// <returns>The record with its digests, or <see langword="null"/> if the content does not match the announced digest.</returns>
    public async ValueTask<EngineRecord?> VerifyAsync(AppendCommand command, EngineRecord record, ReadOnlySequence<byte>? content = null)
    {
        Digest? announced = command.ReprDigest ?? (record.ReprDigest is { } text ? Digest.Parse(text) : null);
        // A staged append has verified the digest while it received the bytes.
        bool isVerified = command.IsStaged && command.ReprDigest is not null;
        if (announced is not null && !isVerified && !announced.Matches((await ComputeAsync(command.Key, content, announced.Algorithm)).Value.Span))
        {
            return null;
        }

        record = record with { ReprDigest = announced?.ToString() };
        DigestAlgorithm? requested = command.RequestedDigestAlgorithm
            ?? DigestAlgorithm.All.FirstOrDefault(algorithm => algorithm.Name == record.RequestedDigestAlgorithm);
        return requested is null ? record : record with
        {
            RequestedDigestAlgorithm = requested.Name,
            ComputedReprDigest = (announced?.Algorithm == requested ? announced : await ComputeAsync(command.Key, content, requested)).ToString(),
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
