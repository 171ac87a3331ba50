using System.Reflection;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Cases;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit;

/// <summary>
/// The laws of <see cref="IUploadStore"/> as runnable cases, for any test framework. A newer version of the package adds cases without a change to
/// the tests that run them.
/// </summary>
public static class StoreContract
{
    private static readonly Dictionary<string, StoreCase> AllCases = StoreCase.FindAll().ToDictionary(static storeCase => storeCase.Name, StringComparer.Ordinal);

    /// <summary>
    /// Returns the names of the cases that a store must pass. A name that starts with <c>Law</c> and a number tests the law with this number in
    /// <see cref="IUploadStore"/>.
    /// </summary>
    /// <param name="capabilities">The optional capabilities of the store.</param>
    /// <returns>The names in ordinal order.</returns>
    public static IReadOnlyList<string> GetCaseNames(StoreCapabilities capabilities) =>
        [.. AllCases.Values.Where(storeCase => storeCase.AppliesTo(capabilities)).Select(static storeCase => storeCase.Name).Order(StringComparer.Ordinal)];

    /// <summary>Runs one case.</summary>
    /// <param name="name">The name of the case, from <see cref="GetCaseNames"/>.</param>
    /// <param name="fixture">Empty storage for this case. It is disposed at the end.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the store has passed the case.</returns>
    /// <exception cref="StoreContractException">The store failed the case.</exception>
    /// <exception cref="ArgumentException">There is no case with this name.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static async Task RunAsync(string name, StoreFixture fixture, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(fixture);
        if (!AllCases.TryGetValue(name, out StoreCase? storeCase))
        {
            throw new ArgumentException($"There is no case '{name}'. StoreContract.GetCaseNames returns the names.", nameof(name));
        }

        await using (fixture)
        {
            await using StoreCases cases = await StoreCases.OpenAsync(fixture, cancellationToken);
            try
            {
                await storeCase.RunAsync(cases);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                Exception cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
                throw new StoreContractException($"{name}: {cause.Message}", cause);
            }
        }
    }
}
