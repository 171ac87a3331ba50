using System.IO.Pipelines;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>A transport whose output takes interim responses.</summary>
internal sealed class InterimDuplexPipe : IDuplexPipe
{
    private InterimDuplexPipe(IDuplexPipe inner)
    {
        var client = new ClientSettingsTracker();
        Input = new ClientSettingsPipeReader(inner.Input, client);
        Output = new FrameInterleavingPipeWriter(inner.Output, client);
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>A transport around another; one of these stays as it is.</summary>
    public static IDuplexPipe Wrap(IDuplexPipe transport) => transport as InterimDuplexPipe ?? new InterimDuplexPipe(transport);
}
