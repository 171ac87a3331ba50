using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Content;

/// <summary>The digest of a whole content when all of it is there: the one that was announced, and the one that is wanted.</summary>
internal sealed class WholeDigest(IUploadStore store)
{
    /// <summary>What is known then, or null where the content is not what was announced.</summary>
    /// <param name="command">The append that brought the last byte.</param>
    /// <param name="data">What the record says.</param>
    /// <param name="content">All of the bytes, or null where the store has them.</param>
    public async ValueTask<UploadData?> CheckAsync(AppendCommand command, UploadData data, ReadOnlySequence<byte>? content = null)
    {
        Digest? announced = command.ReprDigest ?? (data.ReprDigest is { } text ? Digest.Parse(text) : null);
        bool isVerified = command.IsStaged && command.ReprDigest is not null;
        if (announced is not null && !isVerified && !announced.Matches((await FindAsync(command.Key, content, announced.Algorithm).ConfigureAwait(false)).Value.Span))
        {
            return null;
        }

        data = data with { ReprDigest = announced?.ToString() };
        DigestAlgorithm? wanted = command.WantedDigest ?? DigestAlgorithm.All.FirstOrDefault(algorithm => algorithm.Name == data.WantedDigest);
        return wanted is null ? data : data with
        {
            WantedDigest = wanted.Name,
            FoundDigest = (announced?.Algorithm == wanted ? announced : await FindAsync(command.Key, content, wanted).ConfigureAwait(false)).ToString(),
        };
    }

    private async ValueTask<Digest> FindAsync(UploadKey key, ReadOnlySequence<byte>? content, DigestAlgorithm algorithm)
    {
        using IRunningHash hash = algorithm.Begin();
        if (content is { } bytes)
        {
            foreach (ReadOnlyMemory<byte> segment in bytes)
            {
                hash.Append(segment.Span);
            }
        }
        else if (await store.OpenReadAsync(key, CancellationToken.None).ConfigureAwait(false) is { } stored)
        {
            await using (stored.ConfigureAwait(false))
            {
                await hash.AppendAsync(stored, CancellationToken.None).ConfigureAwait(false);
            }
        }

        return new Digest(algorithm, hash.Current());
    }
}
