namespace ResumableUploads.FaultTests.Network.DotNet;

/// <summary>A stream that cannot seek, and returns pieces of random sizes.</summary>
internal sealed class PieceStream(byte[] content, Random random) : MemoryStream(content, writable: false)
{
    public override bool CanSeek => false;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 50_000))], cancellationToken);
}
