using ResumableUploads.FunctionalTests.Clients.Browser;

namespace ResumableUploads.FunctionalTests.Clients.Blazor;

/// <summary>The Blazor component on WebAssembly, in the sample.</summary>
[Collection<BlazorCollection>]
public class BlazorWebAssemblyTests(Chromium chromium) : BlazorTests(chromium, "/webassembly/", "WebAssembly")
{
    private protected override async Task AssertTransportAsync(BlazorPage page) => Assert.Equal(0, await page.Tab.EvaluateAsync<int>("sockets.length"));
}
