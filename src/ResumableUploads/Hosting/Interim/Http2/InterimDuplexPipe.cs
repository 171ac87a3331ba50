using System.IO.Pipelines;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>A transport whose output accepts interim responses.</summary>
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

    /// <summary>Wraps a transport, unless it is wrapped already.</summary>
    public static IDuplexPipe Wrap(IDuplexPipe transport) => transport as InterimDuplexPipe ?? new InterimDuplexPipe(transport);
}
