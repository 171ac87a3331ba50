using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.UnitTests.Engine.Digests;

public class BackgroundHasherTests
{
    private const int MaxChunk = 300_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Digest_matches_after_reads_with_random_consumption(int seed)
    {
        var random = new Random(seed);
        byte[] content = new byte[5_000_000];
        random.NextBytes(content);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, SHA256.HashData(content))), null);
        var pipe = new Pipe(new PipeOptions(useSynchronizationContext: false));
        using var reader = new RequestBodyReader(pipe.Reader, content.Length, digest, TimeProvider.System, TestSettings.Default, static () => { });
        Task sending = SendAsync(pipe.Writer, content, new Random(seed));
        var consumed = new MemoryStream();
        ReadResult result;
        do
        {
            result = await reader.ReadAsync(TestContext.Current.CancellationToken);
            int count = result.IsCompleted ? (int)result.Buffer.Length : random.Next((int)result.Buffer.Length + 1);
            await consumed.WriteAsync(result.Buffer.Slice(0, count).ToArray(), TestContext.Current.CancellationToken);
            reader.AdvanceTo(result.Buffer.GetPosition(count), result.Buffer.End);
        }
        while (!result.IsCompleted);
        await sending;

        Assert.Equal(content, consumed.ToArray());
        Assert.True(reader.IsFullyConsumed);
        Assert.True(digest.ContentDigestMatches);
    }

    [Fact]
    public async Task IsFullyConsumed_is_false_if_bytes_are_left()
    {
        byte[] content = RandomNumberGenerator.GetBytes(MaxChunk);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, SHA256.HashData(content))), null);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        using var reader = new RequestBodyReader(pipe.Reader, content.Length, digest, TimeProvider.System, TestSettings.Default, static () => { });
        await pipe.Writer.WriteAsync(content, TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        ReadResult result = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(result.Buffer.GetPosition(content.Length - 1));
        Assert.False(reader.IsFullyConsumed);
    }

    [Fact]
    public void Start_hashes_chunks_in_order()
    {
        byte[] content = RandomNumberGenerator.GetBytes(20 * MaxChunk);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, SHA256.HashData(content))), null);
        using (var hasher = new BackgroundHasher(digest))
        {
            for (int offset = 0; offset < content.Length; offset += MaxChunk)
            {
                hasher.Start(new ReadOnlySequence<byte>(content, offset, MaxChunk));
            }
        }

        Assert.True(digest.ContentDigestMatches);
    }

    private static async Task SendAsync(PipeWriter writer, byte[] content, Random random)
    {
        for (int offset = 0; offset < content.Length;)
        {
            int count = Math.Min(1 + random.Next(MaxChunk), content.Length - offset);
            await writer.WriteAsync(content.AsMemory(offset, count), TestContext.Current.CancellationToken);
            offset += count;
        }

        await writer.CompleteAsync();
    }
}
