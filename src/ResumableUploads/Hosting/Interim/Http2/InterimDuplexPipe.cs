using System.IO.Pipelines;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Wraps a transport: its output can insert HTTP/2 interim responses between the frames of the server, and its input tracks the settings of the client.
/// </summary>
internal sealed class InterimDuplexPipe : IDuplexPipe
{
    private InterimDuplexPipe(IDuplexPipe inner)
    {
        var settings = new ClientSettingsTracker();
        Input = new ClientSettingsPipeReader(inner.Input, settings);
        Output = new FrameInterleavingPipeWriter(inner.Output, settings);
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Returns a wrapper of the transport, or the transport itself if it is already wrapped.</summary>
    public static IDuplexPipe Wrap(IDuplexPipe transport) => transport as InterimDuplexPipe ?? new InterimDuplexPipe(transport);
}
