using System.Diagnostics;
using System.Globalization;

namespace ResumableUploads.Testing.Servers;

/// <summary>The emulator of Azure Blob Storage, in memory.</summary>
internal sealed class AzuriteProcess : IAsyncDisposable
{
    // The account of the emulator, which is the same everywhere.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static readonly NpmPackages Packages = new("tests/azurite");
    private readonly ReservedPort _port = new();
    private readonly string? _certificates;
    private Process? _process;

    private AzuriteProcess(bool acceptsTokens) => _certificates = acceptsTokens ? Directory.CreateTempSubdirectory("azurite-").FullName : null;

    /// <summary>Gets the URL of the account.</summary>
    public Uri Endpoint => new($"{(_certificates is null ? "http" : "https")}://127.0.0.1:{_port.Number}/{Account}");

    public string ConnectionString => string.Create(
        CultureInfo.InvariantCulture,
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={Endpoint};");

    /// <summary>Starts the emulator. Skips the test if npm cannot install it.</summary>
    /// <param name="acceptsTokens">Whether it uses HTTPS with <see cref="TestCertificate"/>, and accepts access tokens without checking their signatures.</param>
    public static async Task<AzuriteProcess> StartAsync(bool acceptsTokens = false)
    {
        await Packages.RequireAsync();
        var azurite = new AzuriteProcess(acceptsTokens);
        await azurite.StartProcessAsync();
        return azurite;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _port.Dispose();
        if (_certificates is not null)
        {
            await TemporaryDirectory.DeleteAsync(_certificates);
        }
    }

    private async Task StartProcessAsync()
    {
        string script = Path.Combine(Packages.Directory, "node_modules", "azurite", "dist", "src", "blob", "main.js");
        string[] options = ["--blobHost", "127.0.0.1", "--blobPort", $"{_port.Number}", "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"];
        _process = Process.Start(new ProcessStartInfo("node", [script, .. options, .. CreateTokenOptions()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = TestCertificate.IsIt } });
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(_process.HasExited, "Azurite has ended.");
                try
                {
                    // Any response will do: this request is not authorized.
                    using HttpResponseMessage response = await client.GetAsync(new Uri(Endpoint, "/"));
                    return true;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "Azurite listens");
    }

    private string[] CreateTokenOptions()
    {
        if (_certificates is null)
        {
            return [];
        }

        (string certificate, string key) = (Path.Combine(_certificates, "certificate.pem"), Path.Combine(_certificates, "key.pem"));
        TestCertificate.Export(certificate, key);
        return ["--oauth", "basic", "--cert", certificate, "--key", key];
    }
}
