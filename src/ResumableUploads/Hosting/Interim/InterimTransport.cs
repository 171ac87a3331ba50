using System.IO.Pipelines;

namespace ResumableUploads;

/// <summary>A transport whose output takes interim responses.</summary>
internal sealed class InterimTransport : IDuplexPipe
{
    private InterimTransport(IDuplexPipe inner)
    {
        var client = new ClientSettings();
        Input = new InterimReader(inner.Input, client);
        Output = new InterimWriter(inner.Output, client);
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>A transport around another; one of these stays as it is.</summary>
    public static IDuplexPipe Around(IDuplexPipe transport) => transport as InterimTransport ?? new InterimTransport(transport);
}
