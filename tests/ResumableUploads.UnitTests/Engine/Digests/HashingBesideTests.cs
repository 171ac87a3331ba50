using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.UnitTests.Engine.Digests;

/// <summary>Bytes are hashed while they are stored, and each of them once.</summary>
public class HashingBesideTests
{
    private const int MaxPiece = 300_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task F10_whatever_is_taken_of_each_read_the_digest_is_of_all_of_it(int seed)
    {
        var random = new Random(seed);
        byte[] file = new byte[5_000_000];
        random.NextBytes(file);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, SHA256.HashData(file))), null);
        var pipe = new Pipe(new PipeOptions(useSynchronizationContext: false));
        using var reader = new RequestBodyReader(pipe.Reader, file.Length, digest, TimeProvider.System, TestSettings.Default, static () => { });
        Task sending = SendAsync(pipe.Writer, file, new Random(seed));
        var taken = new MemoryStream();
        ReadResult result;
        do
        {
            result = await reader.ReadAsync(TestContext.Current.CancellationToken);
            int count = result.IsCompleted ? (int)result.Buffer.Length : random.Next((int)result.Buffer.Length + 1);
            await taken.WriteAsync(result.Buffer.Slice(0, count).ToArray(), TestContext.Current.CancellationToken);
            reader.AdvanceTo(result.Buffer.GetPosition(count), result.Buffer.End);
        }
        while (!result.IsCompleted);
        await sending;

        Assert.Equal(file, taken.ToArray());
        Assert.True(reader.IsFullyConsumed);
        Assert.True(digest.ContentDigestMatches);
    }

    [Fact]
    public async Task F10_what_is_left_is_seen()
    {
        byte[] file = RandomNumberGenerator.GetBytes(MaxPiece);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, SHA256.HashData(file))), null);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        using var reader = new RequestBodyReader(pipe.Reader, file.Length, digest, TimeProvider.System, TestSettings.Default, static () => { });
        await pipe.Writer.WriteAsync(file, TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        ReadResult result = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(result.Buffer.GetPosition(file.Length - 1));
        Assert.False(reader.IsFullyConsumed);
    }

    [Fact]
    public void Bytes_are_hashed_in_the_order_in_which_they_came()
    {
        byte[] file = RandomNumberGenerator.GetBytes(20 * MaxPiece);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, SHA256.HashData(file))), null);
        using (var hashing = new BackgroundHasher(digest))
        {
            for (int offset = 0; offset < file.Length; offset += MaxPiece)
            {
                hashing.Start(new ReadOnlySequence<byte>(file, offset, MaxPiece));
            }
        }

        Assert.True(digest.ContentDigestMatches);
    }

    private static async Task SendAsync(PipeWriter writer, byte[] file, Random random)
    {
        for (int offset = 0; offset < file.Length;)
        {
            int count = Math.Min(1 + random.Next(MaxPiece), file.Length - offset);
            await writer.WriteAsync(file.AsMemory(offset, count), TestContext.Current.CancellationToken);
            offset += count;
        }

        await writer.CompleteAsync();
    }
}
