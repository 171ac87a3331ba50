using System.Net;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Limits;

/// <summary>A multipart form with one large generated file, parts of which can be sent as a body.</summary>
/// <param name="FileSize">How many bytes the file has.</param>
internal sealed record LargeForm(long FileSize)
{
    public const string ContentType = "multipart/form-data; boundary=large";

    /// <summary>The maximum number of bytes that are sent at once. It is not a divisor of any buffer size, so that a misplaced block is detected.</summary>
    public const int BlockSize = 100_003;

    private static readonly byte[] Block = BlockOf();

    public byte[] Head { get; } =
        [.. "--large\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nLarge\r\n--large\r\nContent-Disposition: form-data; name=\"file\"; filename=\"large.bin\"\r\n\r\n"u8];

    public byte[] Tail { get; } = [.. "\r\n--large--\r\n"u8];

    public long Length => Head.Length + FileSize + Tail.Length;

    /// <summary>Gets a range of the form.</summary>
    /// <param name="from">The start of the range.</param>
    /// <param name="to">The end of the range.</param>
    /// <param name="sent">Is called with the offset in the form up to which the range is sent.</param>
    public HttpContent Part(long from, long to, Action<long>? sent = null) => new Body(this, from, to, sent);

    /// <summary>Returns whether bytes equal those of the file at an offset.</summary>
    public static bool IsFile(long offset, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            ReadOnlySpan<byte> expected = Block.AsSpan((int)(offset % Block.Length));
            expected = expected[..Math.Min(expected.Length, bytes.Length)];
            if (!bytes[..expected.Length].SequenceEqual(expected))
            {
                return false;
            }

            bytes = bytes[expected.Length..];
            offset += expected.Length;
        }

        return true;
    }

    private static byte[] BlockOf()
    {
        byte[] block = new byte[BlockSize];
        new Random(5).NextBytes(block);
        return block;
    }

    private ReadOnlyMemory<byte> At(long offset)
    {
        if (offset < Head.Length)
        {
            return Head.AsMemory((int)offset);
        }

        long inFile = offset - Head.Length;
        if (inFile >= FileSize)
        {
            return Tail.AsMemory((int)(inFile - FileSize));
        }

        ReadOnlyMemory<byte> block = Block.AsMemory((int)(inFile % Block.Length));
        return block[..(int)Math.Min(block.Length, FileSize - inFile)];
    }

    private sealed class Body(LargeForm form, long from, long to, Action<long>? sent) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (long at = from; at < to;)
            {
                ReadOnlyMemory<byte> next = form.At(at);
                next = next[..(int)Math.Min(next.Length, to - at)];
                await stream.WriteAsync(next);
                at += next.Length;
                sent?.Invoke(at);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = to - from;
            return true;
        }
    }
}
