using System.Text.Json;
using Microsoft.Playwright;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>Checks the accessibility of pages with axe-core.</summary>
internal static class Accessibility
{
    private static readonly NpmPackages Packages = new("tests/element-pages");

    /// <summary>Installs the checker. Skips the test if npm cannot install it.</summary>
    public static Task RequireAsync() => Packages.RequireAsync();

    public static async Task AssertNoViolationsAsync(IPage page)
    {
        // Not a script tag, which the policy of the page forbids.
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(Packages.Directory, "node_modules/axe-core/axe.min.js")));
        JsonElement violations = (await page.EvaluateAsync("axe.run().then(result => result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.target} ${node.failureSummary}`)}`))"))!.Value;
        Assert.Equal("[]", violations.ToString());
    }
}
