#include "engine/role_words.h"

#include <string.h>
#include <strings.h>

const struct cw_role_word cw_role_words[] = {
	{ "provider", CW_ROLE_VENDOR, false, false },
	{ "service provider", CW_ROLE_VENDOR, false, false },
	{ "vendor", CW_ROLE_VENDOR, false, false },
	{ "licensor", CW_ROLE_VENDOR, false, false },
	{ "supplier", CW_ROLE_VENDOR, false, false },
	{ "seller", CW_ROLE_VENDOR, true, false },
	{ "contractor", CW_ROLE_VENDOR, false, false },
	{ "subcontractor", CW_ROLE_VENDOR, true, false },
	{ "consultant", CW_ROLE_VENDOR, false, false },
	{ "developer", CW_ROLE_VENDOR, true, false },
	{ "host", CW_ROLE_VENDOR, false, false },
	{ "manufacturer", CW_ROLE_VENDOR, true, false },
	{ "processor", CW_ROLE_VENDOR, false, false },
	{ "data processor", CW_ROLE_VENDOR, false, false },
	{ "franchisor", CW_ROLE_VENDOR, false, false },
	{ "lessor", CW_ROLE_VENDOR, false, false },
	{ "landlord", CW_ROLE_VENDOR, false, false },
	{ "lender", CW_ROLE_VENDOR, true, false },
	{ "transporter", CW_ROLE_VENDOR, false, false },
	{ "carrier", CW_ROLE_VENDOR, false, false },
	{ "agent", CW_ROLE_VENDOR, true, false },
	{ "sales agent", CW_ROLE_VENDOR, true, false },
	{ "transfer agent", CW_ROLE_VENDOR, false, false },
	{ "servicing agent", CW_ROLE_VENDOR, false, false },
	{ "servicer", CW_ROLE_VENDOR, false, false },
	{ "administrator", CW_ROLE_VENDOR, true, false },
	{ "adviser", CW_ROLE_VENDOR, true, false },
	{ "advisor", CW_ROLE_VENDOR, true, false },
	{ "manager", CW_ROLE_VENDOR, true, false },
	{ "operator", CW_ROLE_VENDOR, true, false },
	{ "underwriter", CW_ROLE_VENDOR, true, false },
	{ "executive", CW_ROLE_VENDOR, true, false },
	{ "employee", CW_ROLE_VENDOR, true, false },
	{ "promoter", CW_ROLE_VENDOR, true, false },
	{ "repairer", CW_ROLE_VENDOR, false, false },
	{ "endorser", CW_ROLE_VENDOR, true, false },
	{ "customer", CW_ROLE_CUSTOMER, false, true },
	{ "client", CW_ROLE_CUSTOMER, false, true },
	{ "licensee", CW_ROLE_CUSTOMER, false, true },
	{ "subscriber", CW_ROLE_CUSTOMER, false, true },
	{ "buyer", CW_ROLE_CUSTOMER, false, true },
	{ "purchaser", CW_ROLE_CUSTOMER, false, true },
	{ "user", CW_ROLE_CUSTOMER, false, true },
	{ "end user", CW_ROLE_CUSTOMER, true, true },
	{ "member", CW_ROLE_CUSTOMER, true, true },
	{ "visitor", CW_ROLE_CUSTOMER, true, true },
	{ "account holder", CW_ROLE_CUSTOMER, true, true },
	{ "controller", CW_ROLE_CUSTOMER, false, false },
	{ "data controller", CW_ROLE_CUSTOMER, false, false },
	{ "recipient", CW_ROLE_CUSTOMER, true, false },
	{ "service recipient", CW_ROLE_CUSTOMER, false, false },
	{ "franchisee", CW_ROLE_CUSTOMER, false, false },
	{ "lessee", CW_ROLE_CUSTOMER, false, false },
	{ "tenant", CW_ROLE_CUSTOMER, false, false },
	{ "borrower", CW_ROLE_CUSTOMER, true, false },
	{ "shipper", CW_ROLE_CUSTOMER, false, false },
	{ "distributor", CW_ROLE_CUSTOMER, true, false },
	{ "reseller", CW_ROLE_CUSTOMER, true, false },
	{ "dealer", CW_ROLE_CUSTOMER, true, false },
	{ "advertiser", CW_ROLE_CUSTOMER, true, true },
	{ "publisher", CW_ROLE_CUSTOMER, true, false },
	{ "employer", CW_ROLE_CUSTOMER, true, false },
	{ "principal", CW_ROLE_CUSTOMER, true, false },
	{ "sponsor", CW_ROLE_CUSTOMER, true, false },
	{ "fund", CW_ROLE_CUSTOMER, true, false },
	{ "trust", CW_ROLE_CUSTOMER, true, false },
	{ "owner", CW_ROLE_CUSTOMER, true, false },
	{ "guarantor", CW_ROLE_OTHER, false, false },
	{ "escrow agent", CW_ROLE_OTHER, false, false },
	{ "trustee", CW_ROLE_OTHER, true, false },
};

const size_t cw_role_word_count = sizeof(cw_role_words) / sizeof(*cw_role_words);

const struct cw_role_word *cw_role_word_find(const char *term)
{
	for (size_t i = 0; i < cw_role_word_count; i++) {
		if (strcasecmp(term, cw_role_words[i].word) == 0)
			return &cw_role_words[i];
	}

	const char *space = strrchr(term, ' ');
	return space ? cw_role_word_find(space + 1) : NULL;
}
