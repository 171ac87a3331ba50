using System.Security.Cryptography;
using ResumableUploads.Client;
using ResumableUploads.Client.Sources;

namespace ResumableUploads.UnitTests.Client;

public class ClientSourceTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 1000).Select(static i => (byte)i)];

    [Fact]
    public async Task Buffered_source_reads_only_what_fits_in_its_buffer()
    {
        using var stream = new ForwardStream(Content);
        await using var source = new BufferedSource(stream, ownsStream: false, null, 300, null);

        Assert.Equal(new SourceRange(300, false), await source.PrepareAsync(0, long.MaxValue, TestContext.Current.CancellationToken));
        Assert.Equal(300, stream.Position);
        Assert.Null(source.Length);

        // Only a part was stored: the rest is sent again, with as many new bytes.
        Assert.Equal(new SourceRange(300, false), await source.PrepareAsync(100, long.MaxValue, TestContext.Current.CancellationToken));
        Assert.Equal(400, stream.Position);
        Assert.Equal(Content[100..400], await ReadAsync(source, 100, 300));

        Assert.Equal(new SourceRange(250, false), await source.PrepareAsync(150, 250, TestContext.Current.CancellationToken));
        Assert.Equal(new SourceRange(300, false), await source.PrepareAsync(700, long.MaxValue, TestContext.Current.CancellationToken));
        Assert.Equal(Content[700..], await ReadAsync(source, 700, 300));

        // The end is known when the stream has been read to it.
        Assert.Equal(new SourceRange(0, true), await source.PrepareAsync(1000, long.MaxValue, TestContext.Current.CancellationToken));
        Assert.Equal(1000, source.Length);
        Assert.Equal(1000, source.FirstOffset);
    }

    [Fact]
    public async Task Buffered_source_hashes_skipped_and_repeated_bytes_once()
    {
        await using var source = new BufferedSource(new ForwardStream(Content), ownsStream: true, 1000, 300, new ContentHasher(UploadDigest.Sha256));
        foreach (long offset in new[] { 450L, 500, 650, 900 })
        {
            await source.PrepareAsync(offset, long.MaxValue, TestContext.Current.CancellationToken);
        }

        Assert.Equal($"sha-256=:{Convert.ToBase64String(SHA256.HashData(Content))}:", await source.GetDigestAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Buffered_source_that_is_shorter_than_the_offset_has_changed()
    {
        await using var source = new BufferedSource(new ForwardStream(Content), ownsStream: true, null, 300, null);
        var exception = await Assert.ThrowsAsync<SourceException>(async () => await source.PrepareAsync(1001, long.MaxValue, TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.SourceChanged, exception.Reason);
    }

    [Fact]
    public async Task File_that_is_written_to_has_changed()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("client-source-").FullName, "file");
        await File.WriteAllBytesAsync(path, Content, TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await using (UploadSource source = SourceFactory.OpenFile(path, new UploadOptions()))
        {
            Assert.Equal(new SourceRange(1000, true), await source.PrepareAsync(0, long.MaxValue, TestContext.Current.CancellationToken));
            await File.WriteAllBytesAsync(path, Content, TestContext.Current.CancellationToken);
            var exception = await Assert.ThrowsAsync<SourceException>(async () => await ReadAsync(source, 0, 1000));
            Assert.Equal(UploadFailureReason.SourceChanged, exception.Reason);
            await Assert.ThrowsAsync<SourceException>(async () => await source.PrepareAsync(0, long.MaxValue, TestContext.Current.CancellationToken));
        }

        await using (UploadSource source = SourceFactory.OpenFile(path, new UploadOptions()))
        {
            await File.WriteAllBytesAsync(path, Content[..500], TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<SourceException>(async () => await ReadAsync(source, 0, 1000));
        }

        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task Fingerprint_depends_on_length_time_and_ends()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("client-source-").FullName, "file");
        byte[] content = new byte[200_000];
        var time = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        async Task<string?> FingerprintAsync(Action change)
        {
            File.WriteAllBytes(path, content);
            File.SetLastWriteTimeUtc(path, time);
            change();
            await using UploadSource source = SourceFactory.OpenFile(path, new UploadOptions());
            return await source.GetFingerprintAsync(TestContext.Current.CancellationToken);
        }

        string? original = await FingerprintAsync(static () => { });
        Assert.Equal(original, await FingerprintAsync(static () => { }));
        Assert.NotEqual(original, await FingerprintAsync(() => File.SetLastWriteTimeUtc(path, time.AddSeconds(1))));
        content[0] = 1;
        Assert.NotEqual(original, await FingerprintAsync(static () => { }));
        content[0] = 0;
        content[^1] = 1;
        Assert.NotEqual(original, await FingerprintAsync(static () => { }));
        content = new byte[200_001];
        Assert.NotEqual(original, await FingerprintAsync(static () => { }));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task Last_request_with_a_digest_is_small()
    {
        using var stream = new MemoryStream(new byte[1_000_000]);
        await using var source = new SeekableStreamSource(stream, new ContentHasher(UploadDigest.Sha256));
        Assert.Equal(new SourceRange(1_000_000 - 65_536, false), await source.PrepareAsync(0, long.MaxValue, TestContext.Current.CancellationToken));
        Assert.Equal(new SourceRange(65_536, true), await source.PrepareAsync(1_000_000 - 65_536, long.MaxValue, TestContext.Current.CancellationToken));
        Assert.Equal(new SourceRange(1, true), await source.PrepareAsync(999_999, long.MaxValue, TestContext.Current.CancellationToken));
    }

    private static async Task<byte[]> ReadAsync(UploadSource source, long offset, long count)
    {
        var writer = new CollectingWriter();
        await source.WriteAsync(offset, count, writer, TestContext.Current.CancellationToken);
        return [.. writer.Bytes];
    }

    private sealed class CollectingWriter : IRangeWriter
    {
        public List<byte> Bytes { get; } = [];

        public ValueTask WriteAsync(long end, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            Bytes.AddRange(bytes.Span);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class ForwardStream(byte[] content) : MemoryStream(content, writable: false)
    {
        public override bool CanSeek => false;
    }
}
