using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Content;

/// <summary>The digest of a whole content when all of it is there: the one that was announced, and the one that is wanted.</summary>
internal sealed class WholeDigest(IUploadStore store)
{
    /// <summary>What is known then, or null where the content is not what was announced.</summary>
    public async ValueTask<UploadData?> CheckAsync(AppendCommand command, UploadKey key, UploadData data)
    {
        Digest? announced = command.ReprDigest ?? (data.ReprDigest is { } text ? Digest.Parse(text) : null);
        bool isVerified = command.IsStaged && command.ReprDigest is not null;
        if (announced is not null && !isVerified && !announced.Matches((await FindAsync(key, announced.Algorithm).ConfigureAwait(false)).Value.Span))
        {
            return null;
        }

        data = data with { ReprDigest = announced?.ToString() };
        DigestAlgorithm? wanted = command.WantedDigest ?? DigestAlgorithm.All.FirstOrDefault(algorithm => algorithm.Name == data.WantedDigest);
        return wanted is null ? data : data with
        {
            WantedDigest = wanted.Name,
            FoundDigest = (announced?.Algorithm == wanted ? announced : await FindAsync(key, wanted).ConfigureAwait(false)).ToString(),
        };
    }

    private async ValueTask<Digest> FindAsync(UploadKey key, DigestAlgorithm algorithm)
    {
        using IRunningHash hash = algorithm.Begin();
        if (await store.OpenReadAsync(key, CancellationToken.None).ConfigureAwait(false) is { } stored)
        {
            await using (stored.ConfigureAwait(false))
            {
                await hash.AppendAsync(stored, CancellationToken.None).ConfigureAwait(false);
            }
        }

        return new Digest(algorithm, hash.Current());
    }
}
