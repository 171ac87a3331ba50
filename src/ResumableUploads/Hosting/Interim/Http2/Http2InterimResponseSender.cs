using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>Sends interim responses as HEADERS frames between the frames that Kestrel writes to an HTTP/2 connection.</summary>
internal sealed class Http2InterimResponseSender : InterimResponseSender
{
    private readonly FrameInterleavingPipeWriter _output;
    private readonly int _streamId;

    public Http2InterimResponseSender(HttpContext context, FrameInterleavingPipeWriter output, int streamId)
        : base(context)
    {
        _output = output;
        _streamId = streamId;
        output.OpenStream(streamId);
    }

    protected override async Task WriteAsync(InterimResponse response) => await _output.SendAsync(_streamId, response.ToHttp2Frame(_streamId));

    /// <summary>
    /// Does not wait: the output writes frames in order, and drops a pending interim response after <c>CloseStream</c>.
    /// </summary>
    protected override ValueTask DrainCoreAsync(Task pendingSend)
    {
        _output.CloseStream(_streamId);
        return ValueTask.CompletedTask;
    }
}
