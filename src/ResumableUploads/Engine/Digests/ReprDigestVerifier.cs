using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Digests;

/// <summary>Verifies the announced digest of a complete content and computes the digest that the client requested.</summary>
internal sealed class ReprDigestVerifier(ContentHasher hasher)
{
    /// <summary>Verifies the announced digest of a content that is in memory, if any, and computes the requested one.</summary>
    /// <returns>The record with its digests, and whether the content matches.</returns>
    public static ValueTask<(EngineRecord Record, bool IsMatch)> VerifyBufferedAsync(AppendCommand command, EngineRecord record, ReadOnlySequence<byte> content) =>
        HasDigests(command, record)
            ? VerifyContentAsync(command, record, content)
            : ValueTask.FromResult((record, true));

    private static ValueTask<(EngineRecord Record, bool IsMatch)> VerifyContentAsync(AppendCommand command, EngineRecord record, ReadOnlySequence<byte> content) =>
        VerifyAsync(command, record, algorithm => ValueTask.FromResult(Compute(content, algorithm)));

    /// <summary>
    /// Verifies the announced digest of a stored content, if any, and computes the requested one. Does not read the content if its digest was computed before.
    /// </summary>
    /// <param name="command">The append that completed the content.</param>
    /// <param name="record">The record of the upload.</param>
    /// <param name="length">The length of the content.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The record with its digests, and whether the content matches. If it does not, the record contains the digest that was computed.</returns>
    public ValueTask<(EngineRecord Record, bool IsMatch)> VerifyAsync(
        AppendCommand command, EngineRecord record, long length, CancellationToken cancellationToken) =>
        HasDigests(command, record) ? VerifyStoredAsync(command, record, length, cancellationToken) : ValueTask.FromResult((record, true));

    /// <summary>Returns whether a digest of the whole content was announced, requested or computed.</summary>
    public static bool HasDigests(AppendCommand command, EngineRecord record) =>
        command is not { ReprDigest: null, RequestedDigestAlgorithm: null }
        || record is not { ReprDigest: null, RequestedDigestAlgorithm: null, ContentDigests: null };

    private async ValueTask<(EngineRecord Record, bool IsMatch)> VerifyStoredAsync(
        AppendCommand command, EngineRecord record, long length, CancellationToken cancellationToken)
    {
        if (command.ReprDigest is null && record.ReprDigest is null && record.ContentDigests?.Length == length)
        {
            // The content did not match the digest of an earlier request. Only a request with a digest can complete the upload.
            return (record, false);
        }

        ContentDigests known = record.ContentDigests is { } digests && digests.Length == length ? digests : new ContentDigests(length, []);
        (EngineRecord verified, bool isMatch) = await VerifyAsync(command, record, async algorithm =>
        {
            if (known.Values.Select(Digest.Parse).FirstOrDefault(digest => digest.Algorithm == algorithm) is { } computed)
            {
                return computed;
            }

            using IIncrementalHash hash = await hasher.HashAsync(command.Key, record.Created, algorithm, length, cancellationToken);
            var digest = new Digest(algorithm, hash.GetCurrentHash());
            known = known with { Values = [.. known.Values, digest.ToString()] };
            return digest;
        });
        return (verified with { ContentDigests = isMatch ? null : known }, isMatch);
    }

    private static async ValueTask<(EngineRecord Record, bool IsMatch)> VerifyAsync(
        AppendCommand command, EngineRecord record, Func<DigestAlgorithm, ValueTask<Digest>> compute)
    {
        Digest? announced = command.ReprDigest ?? (record.ReprDigest is { } text ? Digest.Parse(text) : null);
        // A staged append has verified the digest while it received the bytes.
        bool isVerified = command.IsStaged && command.ReprDigest is not null;
        if (announced is not null && !isVerified && !announced.Matches((await compute(announced.Algorithm)).Value.Span))
        {
            return (record, false);
        }

        record = record with { ReprDigest = announced?.ToString() };
        DigestAlgorithm? requested = command.RequestedDigestAlgorithm
            ?? DigestAlgorithm.All.FirstOrDefault(algorithm => algorithm.Name == record.RequestedDigestAlgorithm);
        return requested is null ? (record, true) : (record with
        {
            RequestedDigestAlgorithm = requested.Name,
            ComputedReprDigest = (announced?.Algorithm == requested ? announced : await compute(requested)).ToString(),
        }, true);
    }

    private static Digest Compute(ReadOnlySequence<byte> content, DigestAlgorithm algorithm)
    {
        using IIncrementalHash hash = algorithm.CreateHash();
        foreach (ReadOnlyMemory<byte> segment in content)
        {
            hash.Append(segment.Span);
        }

        return new Digest(algorithm, hash.GetCurrentHash());
    }
}
