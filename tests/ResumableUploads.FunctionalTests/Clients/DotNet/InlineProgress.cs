using ResumableUploads.Client;
using ClientProgress = ResumableUploads.Client.UploadProgress;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>Runs a callback within each report.</summary>
internal sealed class InlineProgress(Action<ClientProgress> report) : IProgress<ClientProgress>
{
    public void Report(ClientProgress value) => report(value);
}
