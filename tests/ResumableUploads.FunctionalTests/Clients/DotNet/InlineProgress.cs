using ResumableUploads.Client;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>Runs a callback within each report.</summary>
internal sealed class InlineProgress(Action<TransferProgress> report) : IProgress<TransferProgress>
{
    public void Report(TransferProgress value) => report(value);
}
