using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Engine.Appending;

/// <summary>
/// Determines whether a request for an upload that has all its bytes is about other content. A client that chooses the ids of its uploads may give two
/// files the same id, and must not get the response of the first for the second.
/// </summary>
internal sealed class ContentComparer(EngineContext context)
{
    /// <summary>Returns whether the size or the digest in a request differs from that of the upload, or cannot be compared with it.</summary>
    public async ValueTask<bool> IsDifferentAsync(AppendCommand command, UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        HasDifferentSize(command, info) || (command.ReprDigest is { } digest && !await MatchesAsync(info, record, digest, cancellationToken));

    /// <summary>With a server-generated key, another size is an error in the request: the key identifies one upload.</summary>
    private static bool HasDifferentSize(AppendCommand command, UploadInfo info) =>
        command.CreateIfMissing is not null && command.UploadLength is { } length && length != info.Offset;

    private async ValueTask<bool> MatchesAsync(UploadInfo info, EngineRecord record, Digest expected, CancellationToken cancellationToken)
    {
        string prefix = expected.Algorithm.Name + "=";
        IEnumerable<string?> known = [record.ReprDigest, record.ComputedReprDigest, .. record.ContentDigests?.Values ?? []];
        string? digest = known.FirstOrDefault(text => text?.StartsWith(prefix, StringComparison.Ordinal) == true)
            ?? await ComputeAsync(info, expected.Algorithm, cancellationToken);
        return digest is not null && Digest.Parse(digest).Matches(expected.Value.Span);
    }

    /// <summary>Computes a digest of the stored content and records it, so that it is computed once. Returns null if the content was moved away.</summary>
    private async ValueTask<string?> ComputeAsync(UploadInfo info, DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        if (await context.Store.OpenReadAsync(info.Key, cancellationToken) is not { } content)
        {
            return null;
        }

        await content.DisposeAsync();
        DateTimeOffset created = EngineRecord.From(info).Created;
        using IIncrementalHash hash = await context.ContentHasher.HashAsync(info.Key, created, algorithm, info.Offset, cancellationToken);
        string digest = new Digest(algorithm, hash.GetCurrentHash()).ToString();
        await context.RecordUpdater.UpdateAsync(
            info,
            current => current.State == UploadState.Completed && EngineRecord.From(current) is var record && record.Created == created
                ? context.RecordPolicy.CreateCompleted(record with { ContentDigests = new ContentDigests(current.Offset, [.. record.ContentDigests?.Values ?? [], digest]) }, current.Offset)
                : null,
            cancellationToken);
        return digest;
    }
}
