using System.Net;

namespace ResumableUploads.FaultTests.Crashes;

/// <summary>A body written in chunks of random size, half of the bodies without a declared length, that counts the bytes written.</summary>
internal sealed class CountedContent(ReadOnlyMemory<byte> bytes, int seed, Action<int> written) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var random = new Random(seed);
        for (ReadOnlyMemory<byte> rest = bytes; !rest.IsEmpty;)
        {
            int count = Math.Min(rest.Length, 1 + random.Next(1 << random.Next(4, 18)));
            await stream.WriteAsync(rest[..count]);
            await stream.FlushAsync();
            rest = rest[count..];
            written(count);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return bytes.Length == 0 || seed % 2 == 0;
    }
}
